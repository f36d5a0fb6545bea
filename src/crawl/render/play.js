// Presses play, in a world of its own: on every media element, and on the first few things that call themselves a play
// button. Links and forms are left alone, they would lead away. Everything is called by the prototypes: a form's or the
// document's own properties may be names that the page has given to elements.
(() => {
  "use strict";
  const NODES_MAX = 50000, PRESSED_MAX = 3;
  const call = (type, name, node, ...rest) => type.prototype[name].call(node, ...rest);
  const shadow = Object.getOwnPropertyDescriptor(Element.prototype, "shadowRoot").get;
  const text = Object.getOwnPropertyDescriptor(Node.prototype, "textContent").get;
  const word = /(^|[^a-z])play([^a-z]|$|btn|button)|播放|再生/i;
  const roots = [document];
  let nodes = 0, pressed = 0, played = 0;
  const isPlayButton = (node) => {
    if (!call(Element, "matches", node, "button, [role=button], [class*=play], [id*=play]")) return false;
    if (call(Element, "closest", node, "a[href], form") !== null) return false;
    const names = ["class", "id", "aria-label", "title"].map((name) => call(Element, "getAttribute", node, name) || "");
    names.push(text.call(node) || "");
    return names.some((name) => word.test(name.slice(0, 200)));
  };
  while (roots.length > 0 && nodes < NODES_MAX) {
    const walker = call(Document, "createTreeWalker", document, roots.pop(), NodeFilter.SHOW_ELEMENT);
    for (let at = walker.nextNode(); at !== null && nodes < NODES_MAX; at = walker.nextNode()) {
      nodes += 1;
      const root = shadow.call(at);
      if (root !== null) roots.push(root);
      if (at instanceof HTMLMediaElement) {
        at.muted = true;
        played += 1;
        const playing = at.play();
        if (playing) playing.catch(() => {});
      } else if (pressed < PRESSED_MAX && at instanceof HTMLElement && isPlayButton(at)) {
        pressed += 1;
        call(HTMLElement, "click", at);
      }
    }
  }
  return { played, pressed };
})()
