"use strict";
// The question browser. Everything from runs and questions is set as text, never as markup.
(() => {
  const data = window.lawqaData;
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const LABELS = ["a", "b", "c", "d"];
  const FIRST = 10; // questions drawn when the page opens
  const BATCH = 50; // questions drawn at once; the rest comes as the reader gets there

  // ---- what is stored once ----------------------------------------------------------------------------
  const joined = new Map();
  function text(number) {
    if (number === undefined || number === null) return "";
    if (!joined.has(number)) joined.set(number, data.texts[number].map((line) => data.lines[line]).join("\n"));
    return joined.get(number);
  }
  // An answer completes what is usual in its run; null is for what it lacks and the others have.
  function whole(entry, run) {
    const fields = { ...data.runs[run].usual, ...entry };
    for (const [name, value] of Object.entries(fields)) if (value === null) delete fields[name];
    return fields;
  }
  for (const q of data.questions) q.answers = q.answers.map((entries, run) => entries.map((entry) => whole(entry, run)));

  // ---- elements -------------------------------------------------------------------------------------
  function make(tag, options = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name === "class") element.className = value;
      else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
      else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat()) {
      if (child !== null && child !== undefined) element.append(child); // a string becomes a text node
    }
    return element;
  }
  function word(name) {
    const [en, ja] = data.words[name] || [name, name];
    return [make("span", { class: "en", lang: "en" }, en), make("span", { class: "ja", lang: "ja" }, ja)];
  }
  const own = (run) => ({ "--own": `var(--run-${run % 8})` });

  // ---- language and theme ---------------------------------------------------------------------------
  function useLanguage(language) {
    root.lang = language;
    for (const option of document.querySelectorAll("option[data-en]")) option.textContent = option.dataset[language];
  }
  find("language").addEventListener("click", () => useLanguage(root.lang === "ja" ? "en" : "ja"));
  find("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  useLanguage(root.lang);

  // ---- what is known of each question ---------------------------------------------------------------
  const keyOf = (entry) => `${entry.order}/${entry.repeat || 0}`;
  const value = (id) => (find(id) ? find(id).value : "");
  // Any run can be the base; without a choice each has the one that the tables compare it with.
  const baseOf = (run) => {
    const chosen = value("filter-base");
    if (chosen === "") return data.runs[run].base;
    return Number(chosen) === run ? null : Number(chosen);
  };
  function changesOf(question) {
    return question.answers.map((entries, run) => {
      const found = { gained: false, lost: false, shared: false };
      const base = baseOf(run);
      if (base === null) return found;
      const known = new Map(question.answers[base].map((e) => [keyOf(e), e.outcome === "correct"]));
      for (const entry of entries) {
        const before = known.get(keyOf(entry));
        if (before === undefined) continue;
        found.shared = true;
        if (before !== (entry.outcome === "correct")) found[before ? "lost" : "gained"] = true;
      }
      return found;
    });
  }
  let changes = [];
  let changedFor = null;
  function compareWithBase() {
    if (changedFor === value("filter-base")) return;
    changedFor = value("filter-base");
    changes = data.questions.map(changesOf);
  }
  const fold = (value) => value.normalize("NFKC").toLowerCase();
  const haystacks = new Map();
  function haystack(index) {
    if (!haystacks.has(index)) {
      const q = data.questions[index];
      const parts = [q.id, q.text, ...q.choices, text(q.context), notes.of(q.id).text];
      for (const entry of q.answers.flat()) {
        parts.push(text(entry.response), entry.error || "");
        for (const article of entry.articles || []) parts.push(data.articles[article].law, data.articles[article].article);
      }
      haystacks.set(index, fold(parts.join("\n")));
    }
    return haystacks.get(index);
  }

  // ---- tags -----------------------------------------------------------------------------------------
  const notes = window.lawqaNotes;
  function offerTags() {
    const chosen = value("filter-tag");
    const tags = notes.tags();
    find("filter-tag").replaceChildren(find("filter-tag").firstElementChild, ...tags.map((tag) => make("option", { value: tag }, tag)));
    find("filter-tag").value = tags.includes(chosen) ? chosen : "";
    find("label-tag").hidden = !tags.length;
  }
  offerTags();
  find("save-notes").addEventListener("click", notes.save);

  // ---- filters --------------------------------------------------------------------------------------
  const anyHit = data.questions.some((q) => q.answers.flat().some((e) => e.hit !== undefined));
  find("label-hit").hidden = !anyHit;

  function matches(index, wanted) {
    const q = data.questions[index];
    if (wanted.tag && !notes.of(q.id).tags.includes(wanted.tag)) return false;
    if (wanted.law && q.law !== wanted.law) return false;
    const runs = wanted.run === "" ? data.runs.map((_, i) => i) : [Number(wanted.run)];
    const entries = runs.flatMap((run) => q.answers[run]);
    if (wanted.run !== "" && !entries.length) return false;
    if (wanted.outcome && !entries.some((e) => e.outcome === wanted.outcome)) return false;
    if (wanted.hit && !entries.some((e) => e.hit === (wanted.hit === "hit"))) return false;
    if (wanted.change) {
      // A run without a base says nothing of change, so it counts for all that have one.
      const compared = (list) => list.filter((run) => baseOf(run) !== null);
      const own = compared(runs);
      const of = (own.length ? own : compared([...data.runs.keys()])).map((run) => changes[index][run]);
      const moved = of.some((c) => c.gained || c.lost);
      if (wanted.change === "changed" && !moved) return false;
      if (wanted.change === "same" && (moved || !of.some((c) => c.shared))) return false;
      if ((wanted.change === "gained" || wanted.change === "lost") && !of.some((c) => c[wanted.change])) return false;
    }
    return wanted.words.every((w) => haystack(index).includes(w));
  }

  // ---- order ----------------------------------------------------------------------------------------
  const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const KEYS = {
    // How sure the chosen run, or else all runs, were on average; those of which it is not known come last.
    sure: (q) => {
      const entries = value("filter-run") === "" ? q.answers.flat() : q.answers[Number(value("filter-run"))];
      const known = entries.filter((e) => e.probabilities).map((e) => Math.max(...e.probabilities));
      return known.length ? mean(known) : null;
    },
    // How many of the runs' answers differ from their commonest.
    apart: (q) => {
      const counts = new Map();
      for (const e of q.answers.flat()) counts.set(e.original, (counts.get(e.original) || 0) + 1);
      return Math.max(...counts.values()) - q.answers.flat().length;
    },
  };
  function sorted(indices) {
    const key = KEYS[value("sort")];
    if (!key) return indices;
    const keys = new Map(indices.map((index) => [index, key(data.questions[index])]));
    return indices.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return x - y || a - b;
    });
  }

  // ---- the filters in the address: a link shows what its sender saw -----------------------------------
  const CONTROLS = {
    run: "filter-run", outcome: "filter-outcome", law: "filter-law", base: "filter-base", change: "filter-change",
    hit: "filter-hit", tag: "filter-tag", sort: "sort", search: "search",
  };
  const said = () => new URLSearchParams(location.hash.slice(1));
  function remember() {
    const kept = new URLSearchParams();
    for (const [name, id] of Object.entries(CONTROLS)) if (value(id) !== "") kept.set(name, value(id));
    const text = kept.toString();
    if (text || said().size) history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }
  function recall() {
    const given = said();
    for (const [name, id] of Object.entries(CONTROLS)) {
      if (given.has(name) && find(id)) {
        find(id).value = given.get(name);
        if (find(id).selectedIndex === -1) find(id).value = "";
      }
    }
  }

  let found = [];
  let drawn = 0;
  function refresh(first = BATCH) {
    const wanted = {
      run: value("filter-run"), outcome: value("filter-outcome"), law: value("filter-law"),
      change: value("filter-change"), tag: value("filter-tag"), hit: value("filter-hit"),
      words: fold(value("search")).split(/\s+/).filter(Boolean),
    };
    compareWithBase();
    found = sorted(data.questions.map((_, index) => index).filter((index) => matches(index, wanted)));
    drawn = 0;
    remember();
    find("list").replaceChildren();
    draw(first);
    const nothing = found.length ? [] : [" ", ...word("nothing_found")];
    find("count").replaceChildren(`${found.length} `, ...word("shown"), ` ${data.questions.length}`, ...nothing);
  }
  function draw(until = drawn + BATCH) {
    const items = document.createDocumentFragment();
    for (; drawn < Math.min(until, found.length); drawn += 1) items.append(item(found[drawn]));
    find("list").append(items);
    find("more").hidden = drawn >= found.length;
  }
  let waiting = 0;
  find("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(), 120);
  });
  find("filters").addEventListener("change", (event) => event.target.id !== "search" && refresh());
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("filters").addEventListener("reset", () => setTimeout(() => refresh()));
  find("more").addEventListener("click", () => {
    const first = drawn;
    draw();
    find("list").children[first].querySelector("summary").focus();
  });
  new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && draw(), { rootMargin: "600px" }).observe(find("more"));

  // ---- the list -------------------------------------------------------------------------------------
  const SIGNS = { correct: "✓", wrong: "✗", unparsed: "?", truncated: "…", failed: "!" };
  const tone = (outcome) => (outcome === "correct" ? "good" : "bad");

  function chip(run, entries) {
    const name = make("b", {}, data.runs[run].id);
    const shown = { class: "chip", style: own(run) };
    if (!entries.length) return make("span", shown, name, " – ", make("span", { class: "sr" }, word("not_asked")));
    if (entries.length > 1) {
      const right = entries.filter((e) => e.outcome === "correct").length;
      return make("span", shown, name, ` ${right}/${entries.length} `, make("span", { class: "sr" }, word("correct")));
    }
    const [entry] = entries;
    return make("span", shown, name, " ",
      make("span", { class: tone(entry.outcome), "aria-hidden": "true" }, SIGNS[entry.outcome]),
      make("span", { class: "sr" }, word(entry.outcome)), ` ${entry.original || ""}`);
  }

  function item(index) {
    const q = data.questions[index];
    const body = make("div", { class: "body" });
    const details = make("details", { "data-index": index },
      make("summary", {},
        make("span", { class: "head" }, make("span", { class: "tag" }, q.law || "?"), make("bdi", {}, q.id),
          make("span", {}, word("gold"), ` ${q.gold}`), notes.of(q.id).tags.map((tag) => make("span", { class: "tag own" }, tag))),
        make("span", { class: "ask" }, q.text),
        make("span", { class: "chips" }, q.answers.map((entries, run) => chip(run, entries)))),
      body);
    details.addEventListener("toggle", () => {
      if (details.open && !body.hasChildNodes()) fill(body, q);
    });
    return make("li", {}, details);
  }

  // ---- one question ---------------------------------------------------------------------------------
  function fill(body, q) {
    body.append(make("h3", {}, word("choices")), choiceTable(q));
    body.append(make("h3", {}, word("context")));
    body.append(q.context === null ? make("p", { class: "note" }, word("no_context")) : make("div", { class: "context", tabindex: "0" }, text(q.context)));
    if (q.references.length) body.append(make("p", { class: "note" }, word("sources"), ": ", q.references.flatMap((r) => [link(r), " "])));
    body.append(noteFields(q));
    const several = q.answers.flatMap((entries, run) => (entries.length ? [run] : []));
    if (several.length > 1) body.append(besides(q, several));
    q.answers.forEach((entries, run) => {
      const head = make("h4", { style: own(run) }, make("span", { class: "badge" }, data.runs[run].id), make("bdi", {}, data.runs[run].name));
      body.append(head);
      if (!entries.length) body.append(make("p", { class: "note" }, word("not_asked")));
      if (entries.length === 1) body.append(answer(entries[0], run));
      else for (const entry of entries) body.append(folded(entry, run));
    });
  }
  // ---- two answers beside each other, what differs marked --------------------------------------------
  const shownText = (entry) => (entry.generated ? text(entry.response) : entry.label || "–");
  function besides(q, runs) {
    const columns = make("div", { class: "two" });
    const choose = (chosen) => make("select", {}, runs.map((run) =>
      make("option", { value: run, selected: run === chosen }, `${data.runs[run].id} ${data.runs[run].name}`)));
    const base = runs.find((run) => baseOf(run) === null);
    const first = base === undefined ? runs[0] : base;
    const pickers = [choose(first), choose(runs.find((run) => run !== first))];
    const show = () => {
      const picked = pickers.map((one) => q.answers[Number(one.value)]);
      const pair = picked[0].map((e) => [e, picked[1].find((other) => keyOf(other) === keyOf(e))]).find(([, other]) => other)
        || [picked[0][0], picked[1][0]];
      const marks = difference(...pair.map(shownText));
      columns.replaceChildren(...pair.map((entry, i) => make("div", {},
        make("p", { class: "note" }, make("span", { class: tone(entry.outcome) }, `${SIGNS[entry.outcome]} `, word(entry.outcome)), ` ${entry.original || ""}`),
        make("pre", { tabindex: "0" }, marks[i]))));
    };
    const inner = make("div", {}, make("div", { class: "pickers" }, pickers.map((one, i) => make("label", {}, make("span", { class: "sr" }, `${i + 1}`), one))), columns);
    const details = make("details", {}, make("summary", {}, word("besides")), inner);
    for (const one of pickers) one.addEventListener("change", show);
    details.addEventListener("toggle", () => details.open && !columns.hasChildNodes() && show());
    return details;
  }
  function difference(one, other) {
    const cut = (value) => value.match(/[A-Za-z0-9]+|\s+|[^A-Za-z0-9\s]/gu) || [];
    let [a, b] = [cut(one), cut(other)];
    if (a.length * b.length > 9e6) [a, b] = [one, other].map((value) => value.match(/[^。\n]*[。\n]?/gu).filter(Boolean));
    if (a.length * b.length > 9e6) return [[one], [other]];
    // Longest common subsequence (Wagner and Fischer 1974): lengths[i][j] of what follows a[i] and b[j].
    const width = b.length + 1;
    const lengths = new Uint16Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) {
        lengths[i * width + j] = a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
      }
    }
    const kept = [new Set(), new Set()];
    for (let i = 0, j = 0; i < a.length && j < b.length;) {
      if (a[i] === b[j]) { kept[0].add(i); kept[1].add(j); i += 1; j += 1; }
      else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i += 1;
      else j += 1;
    }
    return [a, b].map((tokens, side) => runsOf(tokens, kept[side]));
  }
  function runsOf(tokens, kept) {
    const parts = [];
    tokens.forEach((token, i) => {
      const same = kept.has(i);
      if (parts.length && parts[parts.length - 1].same === same) parts[parts.length - 1].text += token;
      else parts.push({ same, text: token });
    });
    return parts.map((part) => (part.same ? part.text : make("mark", {}, part.text)));
  }

  function folded(entry, run) {
    const inner = make("div", {});
    const details = make("details", {}, make("summary", {}, word("shown_order"), ` ${entry.order}`,
      entry.repeat ? [", ", ...word("repeat"), ` ${entry.repeat + 1}`] : [], " ",
      make("span", { class: tone(entry.outcome) }, SIGNS[entry.outcome], " ", word(entry.outcome)), ` ${entry.label || ""}`), inner);
    details.addEventListener("toggle", () => details.open && !inner.hasChildNodes() && inner.append(answer(entry, run)));
    return details;
  }
  function noteFields(q) {
    const known = notes.of(q.id);
    const tags = make("input", { value: known.tags.join(", "), autocomplete: "off" });
    const note = make("textarea", { rows: 2 }, known.text);
    const keep = () => {
      notes.set(q.id, tags.value, note.value.trim());
      haystacks.delete(data.questions.indexOf(q));
      offerTags();
    };
    for (const field of [tags, note]) field.addEventListener("change", keep);
    return make("div", { class: "notes" },
      make("label", {}, make("span", {}, word("tags")), tags), make("label", {}, make("span", {}, word("note")), note),
      make("p", { class: "note" }, word("notes_kept")));
  }
  function link(address) {
    if (!/^https?:\/\//.test(address)) return make("bdi", {}, address);
    return make("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, address);
  }
  function choiceTable(q) {
    const rows = (q.choices.length ? q.choices : LABELS.map(() => "–")).map((choice, i) => {
      const label = LABELS[i];
      const picked = q.answers.flatMap((entries, run) => {
        const times = entries.filter((e) => e.original === label).length;
        return times ? [make("span", { class: "badge", style: own(run) }, data.runs[run].id + (entries.length > 1 ? ` ×${times}` : "")), " "] : [];
      });
      return make("tr", { class: label === q.gold ? "gold" : "" }, make("th", { scope: "row" }, label), make("td", {}, choice),
        make("td", {}, label === q.gold ? word("gold") : []), make("td", {}, picked));
    });
    return make("div", { class: "scroll", tabindex: "0" }, make("table", { class: "choices" },
      make("thead", {}, make("tr", {}, ["choice", "text", "gold", "answered"].map((name) => make("th", { scope: "col" }, word(name))))),
      make("tbody", {}, rows)));
  }

  function answer(entry, run) {
    const facts = make("dl", {});
    const fact = (name, shown) => shown !== undefined && shown !== "" && facts.append(make("div", {}, make("dt", {}, word(name)), make("dd", {}, shown)));
    fact("answered", make("span", { class: tone(entry.outcome) }, `${entry.label || "–"} ${SIGNS[entry.outcome]} `, word(entry.outcome)));
    if (entry.order !== "abcd") fact("shown_order", `${entry.order} (${entry.label || "–"} = ${entry.original || "–"})`);
    fact("rule", entry.rule);
    fact("forced", entry.forced);
    fact("probable", entry.probable);
    fact("stopped", entry.stopped);
    if (entry.hit_limit) fact("hit_limit", "✓");
    fact("seconds", entry.seconds);
    fact("prompt_tokens", entry.prompt_tokens);
    fact("completion_tokens", entry.completion_tokens);
    const parts = make("div", { style: own(run) }, facts);
    if (entry.error) parts.append(make("h5", {}, word("error")), make("pre", { tabindex: "0" }, entry.error));
    if (entry.probabilities) parts.append(make("h5", {}, word("probabilities")), probabilities(entry));
    if (entry.generated) parts.append(make("h5", {}, word("response")), marked(text(entry.response), entry.span));
    else if (!entry.error) parts.append(make("p", { class: "note" }, word("scored")));
    if (entry.articles) parts.append(make("h5", {}, word("retrieved")), articles(entry));
    if (entry.retrieved) parts.append(later("retrieved_text", () => retrieved(entry)));
    if (entry.prompt !== undefined) {
      parts.append(later("prompt", () => make("pre", { tabindex: "0" }, special(text(entry.prompt))), entry.spec ? ` (${entry.spec})` : ""));
    }
    return parts;
  }
  // Long texts are put into the page when they are opened.
  function later(name, content, more = "") {
    const details = make("details", {}, make("summary", {}, word(name), more));
    details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(content()));
    return details;
  }
  function retrieved(entry) {
    const [from, to, ...gold] = entry.retrieved;
    const prompt = text(entry.prompt);
    const parts = [];
    let at = from;
    for (let i = 0; i < gold.length; i += 2) {
      parts.push(prompt.slice(at, gold[i]), make("mark", {}, prompt.slice(gold[i], gold[i + 1])));
      at = gold[i + 1];
    }
    return make("div", {}, make("p", { class: "note" }, word(gold.length ? "gold_marked" : "no_gold_text")),
      make("div", { class: "context", tabindex: "0" }, parts, prompt.slice(at, to)));
  }
  function probabilities(entry) {
    const grid = make("div", { class: "probabilities" });
    entry.probabilities.forEach((p, i) => grid.append(
      make("span", {}, LABELS[i], LABELS[i] === entry.gold ? " ✓" : ""), make("i", { style: { width: `${100 * p}%` }, "aria-hidden": "true" }), make("span", {}, `${(100 * p).toFixed(1)}%`)));
    if (entry.label_mass === undefined) return grid;
    return make("div", {}, grid, make("p", { class: "note" }, word("label_mass"), `: ${entry.label_mass.toFixed(4)}`));
  }
  function marked(response, span) {
    const pre = make("pre", { tabindex: "0" });
    if (!span) pre.append(response);
    else {
      const mark = make("mark", {}, response.slice(span[0], span[1]));
      pre.append(response.slice(0, span[0]), mark, response.slice(span[1]));
      // What was read is often at the end of a text that is higher than its frame.
      requestAnimationFrame(() => { pre.scrollTop = mark.offsetTop - pre.offsetTop - pre.clientHeight / 2; });
    }
    return pre;
  }
  function special(prompt) {
    return prompt.split(/(<\|[^|<>]{1,40}\|>|<\/?think>)/).map((part, i) => (i % 2 ? make("span", { class: "special" }, part) : part));
  }
  function articles(entry) {
    const rows = entry.articles.map((number) => data.articles[number]).map((a) => make("tr", { class: a.gold ? "gold" : "" },
      make("th", { scope: "row" }, a.url ? make("a", { href: a.url, rel: "noopener" }, a.law) : a.law),
      make("td", {}, a.article), make("td", {}, passages(a)), make("td", {}, a.gold ? ["★ ", ...word("is_gold")] : []),
      make("td", {}, String(a.score)), make("td", {}, word(a.complete ? "whole" : "shortened"))));
    return make("div", { class: "scroll", tabindex: "0" }, make("table", { class: "choices" },
      make("thead", {}, make("tr", {}, ["law", "article", "passages", "is_gold", "score", "text"].map((name) => make("th", { scope: "col" }, word(name))))),
      make("tbody", {}, rows)));
  }

  function passages(article) {
    return article.passages.map((where, i) => make("span", {}, i ? "、" : "", article.gold_passages.includes(where) ? "★" : "", where));
  }

  // ---- from question to question with j and k ---------------------------------------------------------
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !["j", "k"].includes(event.key)) return;
    if (event.target.closest("input, select, textarea")) return;
    const items = [...find("list").children];
    const here = items.findIndex((one) => one.contains(document.activeElement));
    const next = event.key === "j" ? here + 1 : here < 0 ? -1 : here - 1;
    if (next >= items.length && drawn < found.length) draw();
    const wanted = find("list").children[next];
    if (!wanted) return;
    event.preventDefault();
    wanted.querySelector("summary").focus({ preventScroll: true });
    wanted.scrollIntoView({ block: "start" });
  });

  // ---- manifests ------------------------------------------------------------------------------------
  let manifests = null;
  function fillManifest(details) {
    if (details.querySelector("pre")) return;
    manifests = manifests || JSON.parse(find("manifests").textContent);
    const [manifest, asked] = manifests.manifests[Number(details.dataset.run)];
    const shown = asked === null ? manifest : { ...manifest, questions: manifests.questions[asked] };
    details.append(make("pre", { tabindex: "0" }, JSON.stringify(shown, null, 1)));
  }
  for (const details of document.querySelectorAll("details.manifest")) {
    details.addEventListener("toggle", () => details.open && fillManifest(details));
  }

  // ---- on paper all that is found is there, and what is folded is open ---------------------------------
  let opened = [];
  addEventListener("beforeprint", () => {
    draw(found.length);
    opened = [...document.querySelectorAll("#claim details:not([open]), details.changed:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });

  // ---- links to one question ------------------------------------------------------------------------
  function follow() {
    const id = said().get("q");
    const index = data.questions.findIndex((q) => q.id === id);
    if (index < 0) return;
    if (!found.includes(index)) {
      find("filters").reset();
      refresh();
    }
    draw(Math.max(drawn, found.indexOf(index) + 1));
    const details = find("list").querySelector(`details[data-index="${index}"]`);
    details.open = true;
    details.scrollIntoView({ block: "start" });
    details.querySelector("summary").focus({ preventScroll: true });
  }
  addEventListener("hashchange", () => {
    if (said().has("q")) return follow();
    recall();
    return refresh();
  });
  const asked = location.hash;
  recall();
  refresh(FIRST);
  if (asked.includes("q=")) {
    history.replaceState(null, "", asked);
    follow();
  }
})();
