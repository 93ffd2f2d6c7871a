// Search and jump (Ctrl K, Cmd K): filters the sections and actions of the page's own navigation.
(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const input = palette.querySelector("input");
  const options = [...palette.querySelectorAll("[role=option]")];
  const nothing = palette.querySelector(".none");
  const shown = () => options.filter((option) => !option.hidden);

  function choose(option) {
    for (const other of options) other.setAttribute("aria-selected", String(other === option));
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function filter() {
    const wanted = input.value.trim().toLowerCase();
    for (const option of options) {
      const label = option.querySelector(".grow");
      const words = label.textContent;
      const at = words.toLowerCase().indexOf(wanted);
      option.hidden = at < 0;
      label.replaceChildren(words);
      if (wanted && at >= 0) {
        const mark = document.createElement("mark");
        mark.textContent = words.slice(at, at + wanted.length);
        label.replaceChildren(words.slice(0, at), mark, words.slice(at + wanted.length));
      }
    }
    nothing.hidden = shown().length > 0;
    choose(shown()[0]);
  }

  function show() {
    input.value = "";
    filter();
    palette.showModal();
    input.focus();
  }

  function move(step) {
    const list = shown();
    const now = list.findIndex((option) => option.getAttribute("aria-selected") === "true");
    choose(list[(now + step + list.length) % list.length]);
  }

  const go = (option) => { if (option) location.assign(option.dataset.href); };

  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") go(options.find((option) => option.getAttribute("aria-selected") === "true"));
    else return;
    event.preventDefault();
  });
  palette.addEventListener("click", (event) => {
    if (event.target === palette) palette.close();
    go(event.target.closest("[role=option]"));
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-palette]")) show();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!palette.open) show();
    }
  });
})();
