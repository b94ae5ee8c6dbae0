// Says that the connection is lost, gets it back, or opens the same settings anew; see connection.py.
const PAUSES = [300, 700, 1500, 2500, 4000, 5000];
const PATIENCE = 10000; // milliseconds for an answer after a sleep
const HUNG = 30000; // a socket that is open and brings nothing
const LONG = 30000; // hidden for so long counts as a sleep

const bar = () => {
  let line = document.getElementById("qfl-connection");
  if (line === null) {
    line = document.createElement("div");
    line.id = "qfl-connection";
    line.setAttribute("role", "status");
    line.style.cssText =
      "position:fixed;inset:auto 0 0 0;z-index:2000;display:none;gap:16px;align-items:center;justify-content:center;" +
      "padding:9px 16px;background:#7a3b00;color:#fff;font:500 15px system-ui,sans-serif;box-shadow:0 -1px 6px #0006";
    const words = document.createElement("span");
    const button = document.createElement("button");
    button.textContent = "Reload now";
    button.style.cssText =
      "font:inherit;color:inherit;background:transparent;border:1px solid #fff;border-radius:6px;padding:3px 12px;cursor:pointer";
    button.onclick = () => window.location.reload();
    line.append(words, button);
    document.body.append(line);
  }
  return line;
};

const say = (text, kind = "lost") => {
  const line = bar();
  line.style.display = text ? "flex" : "none";
  line.style.background = kind === "back" ? "#00543d" : "#7a3b00";
  line.querySelector("button").hidden = kind === "back";
  if (line.querySelector("span").textContent !== text) line.querySelector("span").textContent = text;
};

// Any answer will do; a page of the app would make a session.
const reachable = async () => {
  const script = document.querySelector('script[src*="static/"]');
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 4000);
  try {
    const answer = await fetch(script?.src ?? "favicon.ico", { method: "HEAD", cache: "no-store", signal: stop.signal });
    return answer.status < 500;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
};

// Bokeh 3.9 fetches the page again after a reconnect but loses its binary parts on the way; and it takes what the new
// socket says for the rest of a message that the old one began.
const mend = (connection, document) => {
  if (connection === undefined) return;
  connection._receiver = new connection._receiver.constructor();
  if (connection.qflMended) return;
  connection.qflMended = true;
  const pull = connection._pull_doc_json.bind(connection);
  let buffers = new Map();
  connection._pull_doc_json = async () => {
    const got = await pull();
    buffers = got.buffers;
    return got;
  };
  document.replace_with_json = (json) => {
    document.constructor.from_json(json, [], buffers).destructively_move(document);
  };
};

class Watch {
  constructor(view) {
    this.document = view.model.document;
    this.instance = view.model.data.instance;
    this.model = view.model;
    this.event = null;
    this.since = 0;
    this.tries = 0;
    this.refused = 0;
    this.trying = false;
    this.tried = 0;
    this.timer = null;
    this.hidden = null;
    this.asked = 0;
    this.document.on_event("connection_lost", (_, event) => this.lost(event));
    this.document.on_event("client_reconnected", () => this.back());
    for (const name of ["visibilitychange", "resume", "online", "pageshow"]) {
      (name === "online" || name === "pageshow" ? window : document).addEventListener(name, () => this.woke(name === "online"));
    }
  }

  lost(event) {
    this.event = event;
    this.asked = 0; // whatever was asked is lost, too
    mend(event.connection?.deref?.(), this.document);
    if (this.since === 0) {
      this.since = Date.now();
      this.tries = this.refused = 0;
    } else if (this.trying) {
      this.refused += 1; // the server answers, and will not have this session any more
    }
    this.trying = false;
    this.tell();
    this.again();
  }

  tell() {
    const seconds = Math.round((Date.now() - this.since) / 1000);
    if (seconds < 10) say("The connection was lost; trying again …");
    else say(`The server has not answered for ${seconds} s; trying again … Your settings are in this page's address.`);
  }

  again(pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)]) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.attempt(), pause);
  }

  async attempt() {
    this.timer = null;
    this.tries += 1;
    if (!(await reachable())) {
      this.tell();
      this.again();
    } else if (this.refused >= 2 || (this.trying && Date.now() - this.tried > HUNG)) {
      this.reload();
    } else {
      if (!this.trying) this.tried = Date.now();
      this.trying = true;
      this.event.reconnect();
      this.again(8000);
    }
  }

  // A new session instead of the old one has other settings: those of the link that the visitor came with.
  back() {
    clearTimeout(this.timer);
    this.timer = null;
    this.since = 0;
    this.trying = false;
    const now = this.current();
    if (now !== undefined && now.data.instance !== this.instance) {
      this.reload();
      return;
    }
    this.model = now ?? this.model;
    const loader = document.getElementById("loader"); // Panel's, which stays when the connection broke while it loaded
    if (loader !== null) loader.style.display = "none";
    say("Connected again.", "back");
    setTimeout(() => this.since === 0 && say(""), 4000);
  }

  current() {
    return [...this.document.all_models].find((model) => model.data?.instance !== undefined);
  }

  reload() {
    say("The server began anew; opening the same settings …");
    const last = JSON.parse(window.sessionStorage.getItem("qfl-reloads") ?? "[]").filter((t) => Date.now() - t < 60000);
    if (last.length >= 4) {
      say("The page could not be restored by itself.");
      return;
    }
    window.sessionStorage.setItem("qfl-reloads", JSON.stringify([...last, Date.now()]));
    window.location.reload();
  }

  // After a sleep, or in another network, a socket may be dead and not know it: ask, and wait for the answer.
  woke(moved = false) {
    if (document.visibilityState === "hidden") {
      this.hidden = Date.now();
      return;
    }
    if (this.since !== 0) {
      this.again(0);
      return;
    }
    const slept = moved || (this.hidden !== null && Date.now() - this.hidden > LONG);
    this.hidden = null;
    if (!slept) return;
    const pulse = (this.asked = Date.now() % 1e9);
    this.model.data.pulse = pulse;
    setTimeout(() => {
      if (this.asked === pulse && this.since === 0 && this.current()?.data.echo !== pulse) this.reload();
    }, PATIENCE);
  }
}

export function render({ view }) {
  const known = window.qflConnection;
  if (known === undefined) window.qflConnection = new Watch(view);
  else if (view.model.data.instance !== known.instance) known.reload();
  return document.createElement("span");
}
