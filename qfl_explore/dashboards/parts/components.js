// What our pages change in Panel's React components; see components.py.
(() => {
  const prototype = Bokeh.Models.get("panel.models.esm.ReactComponent").prototype;

  // The latest value wins. A component draws a value that the server set, and sends it back afterwards. Where the server
  // has set another one meanwhile, the older one returns: the browser shows it for good, and the server takes it for the
  // visitor's wish. Here components send only what they have changed themselves.
  const CHANGES = [
    [
      "= React.useState(targetModel.attributes[resolvedProp])",
      `$&
          const own = React.useRef(false)
          const setOwn = React.useRef((next) => { own.current = true; setValue(next) }).current`,
    ],
    ["setValue(targetModel.attributes[resolvedProp])", "own.current = false; $&"],
    ["&& initialized.current) {", "&& initialized.current && own.current) {\n              own.current = false"],
    ["return [value, setValue]", "return [value, setOwn]"],
  ];
  const written = prototype._render_code;
  prototype._render_code = function () {
    const code = written.call(this);
    if (!CHANGES.every(([old]) => code.split(old).length === 2)) {
      console.warn("qfl_explore: this version of Panel is not known; a page may show a value that has changed since");
      return code;
    }
    return CHANGES.reduce((text, [old, changed]) => text.replace(old, changed), code);
  };

  // What comes in a bundle needs no list of packages; each of fifty components would announce it.
  const announce = prototype._declare_importmap;
  prototype._declare_importmap = function () {
    if (!this.bundle) announce.call(this);
  };

  // A bundle imports nothing, so that the browser needs no help with it; the helper reads through all of its 1.4 MB.
  const help = window.importShim;
  const load = (url, ...more) =>
    url.includes(".bundle.js") ? import(new URL(url, document.baseURI).href) : help(url, ...more);
  if (help !== undefined) window.importShim = Object.assign(load, help);
})();
