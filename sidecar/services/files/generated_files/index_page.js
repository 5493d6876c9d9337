"use strict";
// Shows the library that stands in this page. Titles are strangers' words: only ever text.
(() => {
  // Whoever plugs the device in reads it: it speaks the language of their browser, else English.
  const GERMAN = {
    "All": "Alles", "Everything": "Alles", "Shelves": "Bereiche", "Close": "Schließen", "Player": "Player",
    "Offline library": "Offline-Bibliothek", "Search this device": "Auf diesem Gerät suchen",
    "Search titles, artists, albums": "Titel, Künstler, Alben suchen",
    "Music": "Musik", "Audiobooks": "Hörbücher", "Films": "Filme", "Series": "Serien", "Film": "Film",
    "album": "Album", "albums": "Alben", "audiobook": "Hörbuch", "audiobooks": "Hörbücher",
    "film": "Film", "films": "Filme", "series": "Serien",
    "audiobook part": "Hörbuchteil", "audiobook parts": "Hörbuchteile", "part": "Teil", "parts": "Teile",
    "track": "Titel", "tracks": "Titel", "episode": "Folge", "episodes": "Folgen",
    "work": "Werk", "works": "Werke", "title": "Titel", "titles": "Titel", "Titles": "Titel",
    "First {number} titles": "Die ersten {number} Titel",
    "{works} and {titles} found": "{works} und {titles} gefunden",
    "{title}: this browser cannot play it here": "{title}: dieser Browser kann es hier nicht abspielen",
    "Nothing here has these words.": "Hier hat nichts diese Wörter.",
    "Nothing is on this device yet": "Auf diesem Gerät ist noch nichts",
    "Made by Jellyfin Sidecar. This page needs no network: everything it shows lies beside it.":
      "Von Jellyfin Sidecar erstellt. Diese Seite braucht kein Netz: alles, was sie zeigt, liegt neben ihr.",
  };
  const isGerman = navigator.languages.find((one) => /^(de|en)\b/.test(one))?.startsWith("de");
  const language = isGerman ? "de" : "en";
  const say = (text, values = {}) => ((isGerman && GERMAN[text]) || text).replace(/{(\w+)}/g, (_, name) => values[name]);

  const library = JSON.parse(document.getElementById("library").textContent);
  const SHELVES = { music: "Music", books: "Audiobooks", films: "Films", series: "Series" };
  const ONE = { music: "album", books: "audiobook", films: "film", series: "series" };
  const MANY = { music: "albums", books: "audiobooks", films: "films", series: "series" };
  const A_TIME = 60;
  const MOST_FILES = 300;
  const at = (id) => document.getElementById(id);
  const holder = at("works");
  let shelf = "";
  let list = [];
  let shown = 0;
  let group = null;

  // [shelf, title, by, cover, [[label, folder, [[title, file, by], …]], …]]
  const works = library.works.map(([kind, title, by, cover, parts], number) => ({
    number, kind, title, by, cover,
    parts: parts.map(([label, folder, files]) => ({
      label, files: files.map(([name, file, whose]) => ({
        title: name, by: whose || by, path: folder ? `${folder}/${file}` : file,
      })),
    })),
  }));

  const element = (name, kind, text) => {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text) made.textContent = text;
    return made;
  };

  const address = (path) => `./${path.split("/").map(encodeURIComponent).join("/")}`;

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const countOf = (work) => work.parts.reduce((sum, part) => sum + part.files.length, 0);

  const counted = (number, one, many) => `${number.toLocaleString(language)} ${say(number === 1 ? one : many)}`;

  const factsOf = (work) => {
    if (work.kind === "films") return say("Film");
    const one = work.kind === "series" ? "episode" : work.kind === "books" ? "part" : "track";
    return counted(countOf(work), one, `${one}s`);
  };

  const letters = (text) => {
    const words = text.replace(/[^\p{L}\p{N}\s]/gu, "").split(/\s+/).filter(Boolean);
    return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "♪";
  };

  const hue = (text) => [...text].reduce((sum, one) => (sum * 31 + one.codePointAt(0)) % 360, 7);

  const fillCover = (place, work) => {
    place.replaceChildren();
    place.style.setProperty("--hue", hue(work.by + work.title));
    const asLetters = () => place.replaceChildren(letters(work.title));
    if (!work.cover) return asLetters();
    const image = element("img");
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    image.addEventListener("error", asLetters, { once: true });
    image.src = address(work.cover);
    place.append(image);
  };

  // Files ---------------------------------------------------------------------------------------

  const audio = at("audio");
  const player = at("player");
  let queue = [];
  let place = -1;

  const mark = () => {
    const now = queue[place];
    for (const link of document.querySelectorAll(".file[aria-current]")) {
      link.removeAttribute("aria-current");
    }
    if (!now) return;
    for (const link of document.querySelectorAll(".file")) {
      if (link.dataset.path === now.path) link.setAttribute("aria-current", "true");
    }
  };

  const play = (files, number) => {
    queue = files;
    place = number;
    const now = queue[place];
    player.hidden = false;
    at("playing").textContent = now.by ? `${now.title} — ${now.by}` : now.title;
    audio.src = address(now.path);
    audio.play().catch(() => {});
    mark();
  };

  audio.addEventListener("ended", () => {
    if (place + 1 < queue.length) play(queue, place + 1);
  });
  audio.addEventListener("error", () => {
    const now = queue[place];
    if (now) at("playing").textContent = say("{title}: this browser cannot play it here", now);
  });

  const TYPES = {
    mp3: "audio/mpeg", flac: "audio/flac", ogg: "audio/ogg", oga: "audio/ogg", wav: "audio/wav",
    opus: "audio/ogg; codecs=opus", m4a: "audio/mp4", m4b: "audio/mp4", aac: "audio/aac",
  };
  const canPlay = (path) => {
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()];
    return Boolean(type && audio.canPlayType(type));
  };

  const fileList = (files, { numbered, whose }) => {
    const made = element("ol", "files");
    files.forEach((file, number) => {
      const link = element("a", "file");
      link.href = address(file.path);
      link.dataset.path = file.path;
      if (numbered) link.append(element("span", "number", String(number + 1)));
      link.append(element("span", "title", file.title));
      const aside = whose(file);
      if (aside) link.append(element("span", "soft", aside));
      link.addEventListener("click", (event) => {
        if (!canPlay(file.path) || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        play(files, number);
      });
      const line = element("li");
      line.append(link);
      made.append(line);
    });
    return made;
  };

  // One work ------------------------------------------------------------------------------------

  const dialog = at("work");
  const open = (work) => {
    at("work-title").textContent = work.title;
    at("work-by").textContent = work.by;
    at("work-by").hidden = !work.by;
    at("work-facts").textContent = factsOf(work);
    fillCover(at("work-cover"), work);
    const made = work.parts.flatMap((part) => {
      const files = fileList(part.files, {
        numbered: work.kind !== "films",
        whose: (file) => (file.by === work.by ? "" : file.by),
      });
      return part.label ? [element("h3", "", part.label), files] : [files];
    });
    at("work-files").replaceChildren(...made);
    dialog.append(player);
    dialog.showModal();
    dialog.scrollTop = 0;
    mark();
  };
  at("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => document.body.append(player));

  // All works, a few at a time --------------------------------------------------------------------

  const card = (work) => {
    const line = element("li");
    const button = element("button", "card");
    button.type = "button";
    const cover = element("span", "cover");
    cover.setAttribute("aria-hidden", "true");
    fillCover(cover, work);
    const words = element("span");
    words.append(element("span", "name", work.title), element("span", "soft", factsOf(work)));
    button.append(cover, words);
    button.addEventListener("click", () => open(work));
    line.append(button);
    return line;
  };

  const more = () => {
    const until = Math.min(list.length, shown + A_TIME);
    for (; shown < until; shown += 1) {
      const work = list[shown];
      if (!group || group.kind !== work.kind) holder.append(element("h2", "", say(SHELVES[work.kind])));
      if (!group || group.by !== work.by || group.kind !== work.kind) {
        const section = element("section", work.kind === "films" ? "group tall" : "group");
        const grid = element("ul", "grid");
        if (work.by) {
          const heading = element("h3", "", work.by);
          heading.title = work.by;
          section.append(heading);
        }
        section.append(grid);
        holder.append(section);
        group = { by: work.by, kind: work.kind, grid };
      }
      group.grid.append(card(work));
    }
  };

  const watch = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting) && shown < list.length) {
      more();
      // Still in sight, it would not be told of again.
      watch.unobserve(at("end"));
      watch.observe(at("end"));
    }
  }, { rootMargin: "800px" });

  // Search ----------------------------------------------------------------------------------------

  let index = null;
  const made = () => works.map((work) => ({
    work,
    head: folded(`${work.title} ${work.by}`),
    files: work.parts.flatMap((part) => part.files).map((file) => ({
      file, text: folded(`${file.title} ${file.by}`),
    })),
  }));

  const has = (text, words) => words.every((word) => text.includes(word));

  const find = (words) => {
    index ??= made();
    const inShelf = index.filter(({ work }) => !shelf || work.kind === shelf);
    const found = inShelf.filter(({ head }) => has(head, words)).map(({ work }) => work);
    const files = [];
    for (const { work, head, files: inside } of inShelf) {
      if (work.kind === "films") continue;
      for (const { file, text } of inside) {
        if (files.length < MOST_FILES && has(`${text} ${head}`, words) && !has(head, words)) {
          files.push({ file, work });
        }
      }
    }
    return { found, files };
  };

  const show = () => {
    const words = folded(at("words").value).split(/\s+/).filter(Boolean);
    holder.replaceChildren();
    shown = 0;
    group = null;
    let files = [];
    if (words.length) ({ found: list, files } = find(words));
    else list = works.filter((work) => !shelf || work.kind === shelf);
    more();
    if (files.length) {
      const section = element("section", "group wide");
      const of = new Map(files.map(({ file, work }) => [file, work]));
      section.append(
        element("h2", "", say(files.length === MOST_FILES ? "First {number} titles" : "Titles", { number: MOST_FILES })),
        fileList([...of.keys()], {
          numbered: false,
          whose: (file) => [file.by, of.get(file).title].filter(Boolean).join(" · "),
        }),
      );
      holder.prepend(section);
    }
    const nothing = !list.length && !files.length;
    if (nothing) {
      const text = words.length ? say("Nothing here has these words.") : `${say("Nothing is on this device yet")}.`;
      holder.append(element("p", "nothing", text));
    }
    at("told").textContent = words.length
      ? say("{works} and {titles} found", {
        works: counted(list.length, "work", "works"), titles: counted(files.length, "title", "titles"),
      })
      : "";
    watch.unobserve(at("end"));
    watch.observe(at("end"));
    mark();
  };

  const kinds = Object.keys(SHELVES).filter((kind) => works.some((work) => work.kind === kind));
  const choices = kinds.length > 1 ? ["", ...kinds] : [];
  for (const kind of choices) {
    const many = works.filter((work) => work.kind === kind).length;
    const text = kind ? `${say(SHELVES[kind])} (${many.toLocaleString(language)})` : say("All");
    const button = element("button", "", text);
    button.type = "button";
    button.title = kind ? counted(many, ONE[kind], MANY[kind]) : say("Everything");
    button.setAttribute("aria-pressed", String(kind === shelf));
    button.addEventListener("click", () => {
      shelf = kind;
      for (const one of at("shelves").children) {
        one.setAttribute("aria-pressed", String(one === button));
      }
      show();
      scrollTo({ top: 0 });
    });
    at("shelves").append(button);
  }

  // What stands in the page before this script runs.
  function sayThePage() {
    document.documentElement.lang = language;
    document.title = document.title.replace(/Offline library$/, say);
    for (const one of document.querySelectorAll("label, footer p")) one.textContent = say(one.textContent);
    for (const one of document.querySelectorAll("nav, #close, #player")) one.ariaLabel = say(one.ariaLabel);
    at("words").placeholder = say(at("words").placeholder);
    // "1,234 tracks · 1 film · 30.0 MB"
    const parts = at("summary").textContent.split(" · ").map((part) => {
      const [, number, name] = /^([\d,.]+) (.+)$/.exec(part) ?? [];
      if (!number) return say(part);
      return `${number.replace(/[,.]/g, (mark) => (mark === "." ? "," : "."))} ${say(name)}`;
    });
    at("summary").textContent = parts.join(" · ");
  }

  let waiting = 0;
  at("words").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 120);
  });
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    show();
  });
  if (isGerman) sayThePage();
  show();
})();
