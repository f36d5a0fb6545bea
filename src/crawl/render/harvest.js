// Writes down one document as it is now, in a world of its own, where the page's scripts have changed nothing. Shadow
// roots stand where they are seen: as first children of their hosts. Stops at CHARS_MAX characters. Everything is read by
// the prototypes: a form's or the document's own properties may be names that the page has given to elements.
((CHARS_MAX) => {
  "use strict";
  const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
  const RAW = new Set(["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"]);
  const NAME = /^[a-zA-Z][^\s"'<>/=]*$/, ATTRIBUTE = /^[^\s"'<>/=]+$/;
  const getter = (type, name) => {
    const get = Object.getOwnPropertyDescriptor(type.prototype, name).get;
    return (node) => get.call(node);
  };
  const firstChild = getter(Node, "firstChild"), nextSibling = getter(Node, "nextSibling");
  const parentNode = getter(Node, "parentNode"), nodeType = getter(Node, "nodeType");
  const localName = getter(Element, "localName"), attributes = getter(Element, "attributes");
  const shadowRoot = getter(Element, "shadowRoot"), data = getter(CharacterData, "data");
  const content = getter(HTMLTemplateElement, "content"), title = getter(Document, "title");
  const address = getter(Document, "URL"), currentSource = getter(HTMLMediaElement, "currentSrc");
  const out = [], media = [];
  let chars = 0, cut = false;
  const put = (text) => {
    const left = CHARS_MAX - chars;
    if (text.length > left) { cut = true; text = text.slice(0, Math.max(left, 0)); }
    chars += text.length;
    out.push(text);
  };
  const escaped = (text) =>
    text.slice(0, CHARS_MAX + 1).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const quoted = (text) => escaped(text).replace(/"/g, "&quot;");
  // An end tag inside would end the element where it did not.
  const raw = (text) => text.slice(0, CHARS_MAX + 1).replace(/<\/(?=script|style)/gi, "<\\/");
  // What is still to be written: a node with all after it, or an end tag.
  const stack = [firstChild(document)];
  while (stack.length > 0 && !cut) {
    const top = stack.pop();
    if (typeof top === "string") { put(top); continue; }
    if (top === null) continue;
    stack.push(nextSibling(top));
    const type = nodeType(top);
    if (type === Node.TEXT_NODE) {
      const parent = parentNode(top);
      put(parent instanceof Element && RAW.has(localName(parent)) ? raw(data(top)) : escaped(data(top)));
    } else if (type === Node.DOCUMENT_TYPE_NODE) {
      put("<!DOCTYPE html>");
    } else if (type === Node.ELEMENT_NODE && NAME.test(localName(top))) {
      const name = localName(top);
      put("<" + name);
      for (const { name: key, value } of attributes(top)) {
        if (ATTRIBUTE.test(key)) put(` ${key}="${quoted(value)}"`);
        if (cut) break;
      }
      put(">");
      if (top instanceof HTMLMediaElement && media.length < 100) media.push(currentSource(top).slice(0, 8192));
      if (!VOID.has(name)) {
        stack.push(`</${name}>`);
        stack.push(top instanceof HTMLTemplateElement ? firstChild(content(top)) : firstChild(top));
        const root = shadowRoot(top);
        if (root !== null) stack.push(firstChild(root));
      }
    }
  }
  return { html: out.join(""), cut, title: title(document).slice(0, 1000), url: address(document).slice(0, 8192), media };
})
