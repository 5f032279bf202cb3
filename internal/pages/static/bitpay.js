// Opens the checkout of this server inside a shop's page:
//   bitpay.showInvoice("ID"); bitpay.onModalWillLeave(function () { … });
// The checkout tells its state with window.postMessage: the status as a text
// ("paid") and as an object ({status: "paid"}).
(function () {
  "use strict";
  if (window.bitpay && window.bitpay.showInvoice) return;

  var script = document.currentScript;
  var server = script ? new URL(script.src, location.href).origin : location.origin;
  var frame = null, before = null;
  var onEnter = function () {}, onLeave = function () {};

  function showInvoice(id, options) {
    if (!document.body) { // called from the head
      document.addEventListener("DOMContentLoaded", function () { showInvoice(id, options); });
      return;
    }
    hideFrame(true);
    var lang = options && options.lang ? "&lang=" + encodeURIComponent(options.lang) : "";
    before = document.activeElement;
    frame = document.createElement("iframe");
    frame.name = "bitpay";
    frame.title = "Payment";
    frame.allow = "clipboard-write";
    frame.src = server + "/invoice?id=" + encodeURIComponent(id) + "&view=modal" + lang;
    var s = frame.style;
    s.position = "fixed"; s.inset = "0"; s.width = "100%"; s.height = "100%";
    s.border = "0"; s.zIndex = "2147483647"; s.background = "#fff"; s.colorScheme = "light dark";
    onEnter();
    document.body.appendChild(frame);
    frame.focus();
  }

  function hideFrame(silent) {
    if (!frame) return;
    frame.remove();
    frame = null;
    if (before && before.focus) before.focus();
    if (silent !== true) onLeave();
  }

  window.addEventListener("message", function (e) {
    if (!frame || e.source !== frame.contentWindow || e.origin !== server) return;
    if (e.data === "close") hideFrame();
  });

  window.bitpay = {
    showInvoice: showInvoice,
    showFrame: function () { if (frame) frame.style.display = ""; },
    hideFrame: hideFrame,
    onModalWillEnter: function (f) { onEnter = f; },
    onModalWillLeave: function (f) { onLeave = f; },
    // A server is in its environment for good: there is nothing to switch.
    enableTestMode: function () {},
    // For shops that load this script from elsewhere than the checkout.
    setApiUrlPrefix: function (url) { server = new URL(url, location.href).origin; }
  };
})();
