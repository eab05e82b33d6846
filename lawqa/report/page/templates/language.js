"use strict";
// Before anything is drawn, so that no word is seen in the other language first.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  if (!root.dataset.language) {
    root.lang = (navigator.language || "").toLowerCase().startsWith("ja") ? "ja" : "en";
  }
})();
