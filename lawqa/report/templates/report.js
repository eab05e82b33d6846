"use strict";
// The question browser. Everything from runs and questions is set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const LABELS = ["a", "b", "c", "d"];
  const BATCH = 50; // questions drawn at once; the rest comes as the reader gets there

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
  const text = (number) => (number === undefined || number === null ? "" : data.texts[number]);
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
  function changesOf(question) {
    return question.answers.map((entries, run) => {
      const found = { gained: false, lost: false, shared: false };
      const base = data.runs[run].base;
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
  const changes = data.questions.map(changesOf);
  const fold = (value) => value.normalize("NFKC").toLowerCase();
  const haystacks = new Map();
  function haystack(index) {
    if (!haystacks.has(index)) {
      const q = data.questions[index];
      const parts = [q.id, q.text, ...q.choices, text(q.context)];
      for (const entry of q.answers.flat()) {
        parts.push(text(entry.response), entry.error || "");
        for (const article of entry.articles || []) parts.push(article.law, article.article);
      }
      haystacks.set(index, fold(parts.join("\n")));
    }
    return haystacks.get(index);
  }

  // ---- filters --------------------------------------------------------------------------------------
  const value = (id) => (find(id) ? find(id).value : "");
  const anyHit = data.questions.some((q) => q.answers.flat().some((e) => e.hit !== undefined));
  find("label-hit").hidden = !anyHit;

  function matches(index, wanted) {
    const q = data.questions[index];
    if (wanted.law && q.law !== wanted.law) return false;
    const runs = wanted.run === "" ? data.runs.map((_, i) => i) : [Number(wanted.run)];
    const entries = runs.flatMap((run) => q.answers[run]);
    if (wanted.run !== "" && !entries.length) return false;
    if (wanted.outcome && !entries.some((e) => e.outcome === wanted.outcome)) return false;
    if (wanted.hit && !entries.some((e) => e.hit === (wanted.hit === "hit"))) return false;
    if (wanted.change) {
      // A run without a base says nothing of change, so it stands for all that have one.
      const compared = (list) => list.filter((run) => data.runs[run].base !== null);
      const own = compared(runs);
      const of = (own.length ? own : compared([...data.runs.keys()])).map((run) => changes[index][run]);
      const moved = of.some((c) => c.gained || c.lost);
      if (wanted.change === "changed" && !moved) return false;
      if (wanted.change === "same" && (moved || !of.some((c) => c.shared))) return false;
      if ((wanted.change === "gained" || wanted.change === "lost") && !of.some((c) => c[wanted.change])) return false;
    }
    return wanted.words.every((w) => haystack(index).includes(w));
  }

  let found = [];
  let drawn = 0;
  function refresh() {
    const wanted = {
      run: value("filter-run"), outcome: value("filter-outcome"), law: value("filter-law"),
      change: value("filter-change"), hit: value("filter-hit"),
      words: fold(value("search")).split(/\s+/).filter(Boolean),
    };
    found = data.questions.map((_, index) => index).filter((index) => matches(index, wanted));
    drawn = 0;
    find("list").replaceChildren();
    draw();
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
    waiting = setTimeout(refresh, 120);
  });
  find("filters").addEventListener("change", (event) => event.target.id !== "search" && refresh());
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("filters").addEventListener("reset", () => setTimeout(refresh));
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
          make("span", {}, word("gold"), ` ${q.gold}`)),
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
    body.append(make("h4", {}, word("choices")), choiceTable(q));
    body.append(make("h4", {}, word("context")));
    body.append(q.context === null ? make("p", { class: "note" }, word("no_context")) : make("div", { class: "context", tabindex: "0" }, text(q.context)));
    if (q.references.length) body.append(make("p", { class: "note" }, word("sources"), ": ", q.references.flatMap((r) => [link(r), " "])));
    q.answers.forEach((entries, run) => {
      const head = make("h5", { style: own(run) }, make("span", { class: "badge" }, data.runs[run].id), make("bdi", {}, data.runs[run].name));
      body.append(head);
      if (!entries.length) body.append(make("p", { class: "note" }, word("not_asked")));
      if (entries.length === 1) body.append(answer(entries[0], run));
      else for (const entry of entries) body.append(folded(entry, run));
    });
  }
  function folded(entry, run) {
    const inner = make("div", {});
    const details = make("details", {}, make("summary", {}, word("shown_order"), ` ${entry.order}`,
      entry.repeat ? [", ", ...word("repeat"), ` ${entry.repeat + 1}`] : [], " ",
      make("span", { class: tone(entry.outcome) }, SIGNS[entry.outcome], " ", word(entry.outcome)), ` ${entry.label || ""}`), inner);
    details.addEventListener("toggle", () => details.open && !inner.hasChildNodes() && inner.append(answer(entry, run)));
    return details;
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
    if (entry.error) parts.append(make("h6", {}, word("error")), make("pre", { tabindex: "0" }, entry.error));
    if (entry.probabilities) parts.append(make("h6", {}, word("probabilities")), probabilities(entry));
    if (entry.generated) parts.append(make("h6", {}, word("response")), marked(text(entry.response), entry.span));
    else if (!entry.error) parts.append(make("p", { class: "note" }, word("scored")));
    if (entry.articles) parts.append(make("h6", {}, word("retrieved")), articles(entry));
    if (entry.prompt !== undefined) {
      const pre = make("pre", { tabindex: "0" });
      const details = make("details", {}, make("summary", {}, word("prompt"), entry.spec ? ` (${entry.spec})` : ""), pre);
      details.addEventListener("toggle", () => details.open && !pre.hasChildNodes() && pre.append(...special(text(entry.prompt))));
      parts.append(details);
    }
    return parts;
  }
  function probabilities(entry) {
    const grid = make("div", { class: "probabilities" });
    entry.probabilities.forEach((p, i) => grid.append(
      make("span", {}, LABELS[i], LABELS[i] === entry.gold ? " ✓" : ""), make("i", { style: { width: `${100 * p}%` }, "aria-hidden": "true" }), make("span", {}, `${(100 * p).toFixed(1)} %`)));
    if (entry.label_mass === undefined) return grid;
    return make("div", {}, grid, make("p", { class: "note" }, word("label_mass"), `: ${entry.label_mass.toFixed(4)}`));
  }
  function marked(response, span) {
    const pre = make("pre", { tabindex: "0" });
    if (!span) pre.append(response);
    else {
      const mark = make("mark", {}, response.slice(span[0], span[1]));
      pre.append(response.slice(0, span[0]), mark, response.slice(span[1]));
      // What was read often stands at the end of a text that is higher than its frame.
      requestAnimationFrame(() => { pre.scrollTop = mark.offsetTop - pre.offsetTop - pre.clientHeight / 2; });
    }
    return pre;
  }
  function special(prompt) {
    return prompt.split(/(<\|[^|<>]{1,40}\|>|<\/?think>)/).map((part, i) => (i % 2 ? make("span", { class: "special" }, part) : part));
  }
  function articles(entry) {
    const rows = entry.articles.map((a) => make("tr", { class: a.gold ? "gold" : "" },
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

  // ---- links to one question ------------------------------------------------------------------------
  function follow() {
    if (!location.hash.startsWith("#q=")) return;
    const id = decodeURIComponent(location.hash.slice(3));
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
  addEventListener("hashchange", follow);
  refresh();
  follow();
})();
