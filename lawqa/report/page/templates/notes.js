"use strict";
// What a reader notes of questions: kept by this browser while the page is read, saved as a file that
// `lawqa report` reads when it lies beside the page.
window.lawqaData = JSON.parse(document.getElementById("data").textContent); // once, for both scripts
window.lawqaNotes = (() => {
  const data = window.lawqaData;
  const place = `lawqa notes ${data.notes_file} ${data.questions.map((q) => q.id).join(" ").slice(0, 400)}`;
  const notes = new Map(Object.entries(data.notes));
  try {
    for (const [id, note] of Object.entries(JSON.parse(localStorage.getItem(place) || "{}"))) notes.set(id, note);
  } catch {
    console.info("this browser keeps nothing for the page: save notes as a file");
  }
  const of = (id) => notes.get(id) || { tags: [], text: "" };
  function set(id, tags, text) {
    const unique = [...new Set(tags.split(/[,、\s]+/).filter(Boolean))];
    if (unique.length || text) notes.set(id, { tags: unique, text });
    else notes.delete(id);
    try {
      // A note that was taken away must not come back from the page's own.
      const kept = Object.fromEntries(Object.keys(data.notes).map((one) => [one, { tags: [], text: "" }]));
      localStorage.setItem(place, JSON.stringify({ ...kept, ...Object.fromEntries(notes) }));
    } catch {
      // Said when the page was opened; the note lives until it is closed.
    }
  }
  function save() {
    const kept = [...notes].filter(([, note]) => note.tags.length || note.text);
    const content = JSON.stringify({ schema_version: 1, notes: Object.fromEntries(kept) }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${content}\n`], { type: "application/json" }));
    link.download = data.notes_file;
    link.click();
    URL.revokeObjectURL(link.href);
  }
  const tags = () => [...new Set([...notes.values()].flatMap((note) => note.tags))].sort();
  return { of, set, save, tags };
})();
