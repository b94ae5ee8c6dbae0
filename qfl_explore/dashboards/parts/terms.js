// One box for the whole page that explains the word under the pointer, in focus or clicked. The texts come from terms.py.
(() => {
  const texts = TEXTS;
  if (window.qflTerms) return;
  window.qflTerms = true;
  const box = document.createElement('div');
  box.id = 'qfl-term';
  box.setAttribute('role', 'tooltip');
  box.style.cssText = 'position:fixed;z-index:20000;display:none;box-sizing:border-box;max-width:min(calc(400px * var(--qfl-scale, 1)),94vw);' +
    'padding:10px 14px;border-radius:8px;background:#0B3A5B;color:#fff;border:1px solid #8FB8D4;' +
    'font:calc(14px * var(--qfl-scale, 1))/1.45 system-ui,-apple-system,Segoe UI,Roboto,sans-serif;box-shadow:0 4px 18px rgba(0,0,0,.35)';
  document.body.appendChild(box);
  let owner = null, closing = 0;
  const line = (html, css) => {
    const part = document.createElement('div');
    part.innerHTML = html;
    part.style.cssText = css;
    box.append(part);
  };
  function show(element, name) {
    clearTimeout(closing);
    if (!texts[name]) return;
    hide();
    const [title, means, formula, source] = texts[name];
    box.replaceChildren();
    line(title, 'font-weight:650;margin-bottom:2px');
    line(means, '');
    const framed = 'margin-top:6px;padding:5px 9px;border-radius:5px;background:rgba(255,255,255,.14);font-size:1.06em';
    if (formula) line(formula, framed);
    if (source) line(source, 'margin-top:6px;opacity:.85;font-size:.86em');
    box.style.setProperty('--qfl-scale', getComputedStyle(element).getPropertyValue('--qfl-scale') || '1');
    box.style.display = 'block';
    owner = element;
    if (element.title) { element.dataset.said = element.title; element.removeAttribute('title'); }
    place();
  }
  function place() {
    const at = owner.getBoundingClientRect(), own = box.getBoundingClientRect();
    if (!owner.dataset.term && at.right + 12 + own.width < innerWidth) { // a control: beside it, not over the next one
      box.style.left = at.right + 12 + 'px';
      box.style.top = Math.max(8, Math.min(at.top, innerHeight - own.height - 8)) + 'px';
      return;
    }
    const below = at.bottom + 6 + own.height < innerHeight || at.top < own.height + 6;
    box.style.left = Math.max(8, Math.min(at.left, innerWidth - own.width - 8)) + 'px';
    const top = below ? Math.min(at.bottom + 6, innerHeight - own.height - 8) : at.top - own.height - 6;
    box.style.top = Math.max(8, top) + 'px';
  }
  function hide() {
    if (owner && owner.dataset.said) owner.title = owner.dataset.said;
    owner = null;
    box.style.display = 'none';
  }
  const held = () => owner && owner.matches(':focus-within');
  const soon = () => { clearTimeout(closing); closing = setTimeout(hide, 250); };
  const word = (path) => path.find((one) => one.dataset && one.dataset.term);
  const control = (path) => {
    for (const one of path) {
      const found = one.classList && [...one.classList].find((name) => name.startsWith('term-'));
      if (found) return [one, found.slice(5)];
    }
  };
  // what has the focus, and everything around it; events of focus do not leave a shadow tree that they stay in
  function focused() {
    let one = document.activeElement;
    while (one && one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
    const path = [];
    for (; one; one = one.parentNode || one.host) path.push(one);
    return path;
  }
  function reach() {
    const path = focused(), found = word(path);
    const reached = found ? [found, found.dataset.term] : control(path);
    if (reached && reached[0] === owner) return;
    if (reached && path[0].matches(':focus-visible')) show(...reached);
    else hide();
  }
  document.addEventListener('mouseover', (event) => {
    const found = word(event.composedPath());
    if (found) { if (found !== owner) show(found, found.dataset.term); else clearTimeout(closing); }
    else if (event.composedPath().includes(box)) clearTimeout(closing);
    else if (owner && !held()) soon();
  });
  document.addEventListener('click', (event) => {
    const found = word(event.composedPath());
    if (found) show(found, found.dataset.term);
    else if (!event.composedPath().includes(box)) hide();
  }, true);
  document.addEventListener('focusin', reach);
  document.addEventListener('keyup', (event) => { if (event.key === 'Tab') reach(); }, true);
  // whoever works with the control has read it, and wants to see what changes
  const works = (key) => owner && !owner.dataset.term && !['Tab', 'Shift', 'Control', 'Alt', 'Meta'].includes(key);
  document.addEventListener('keydown', ({key}) => { if (key === 'Escape' || works(key)) hide(); }, true);
  document.addEventListener('scroll', (event) => {
    if (!owner || event.composedPath().includes(box)) return;
    if (held()) place();
    else hide();
  }, true);
})();
