// Runs in each document before the page's own scripts. Takes out what makes connections that a page of music does not
// need (the browser's switches stop those as well), and opens shadow roots, so that players inside can be seen.
(() => {
  "use strict";
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport", "SharedWorker"]) {
    try { delete globalThis[name]; } catch { /* not there */ }
  }
  try { delete Navigator.prototype.serviceWorker; } catch { /* not there */ }
  const attach = Element.prototype.attachShadow;
  if (attach) {
    Element.prototype.attachShadow = function attachShadow(options) {
      return attach.call(this, Object.assign({}, options, { mode: "open" }));
    };
  }
})();
