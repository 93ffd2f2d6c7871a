// Draws every canvas[data-chart] from the JSON beside it, in the colours of the theme, and again when the theme changes.
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--sr-${name}`).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function defaults() {
    Object.assign(Chart.defaults, { color: css("text-3"), borderColor: css("line"), maintainAspectRatio: false, animation: still ? false : { duration: 250 } });
    Object.assign(Chart.defaults.font, { family: "Inter Variable, system-ui, sans-serif", size: 11.5 });
    Chart.defaults.plugins.legend.display = false;
    Object.assign(Chart.defaults.plugins.tooltip, { backgroundColor: css("text"), titleColor: css("bg"), bodyColor: css("bg"), padding: 10, cornerRadius: 8, usePointStyle: true, boxPadding: 4 });
  }

  function dataset(set, index, kind) {
    const colour = css(set.colour || `c${index + 1}`);
    return {
      label: set.label, data: set.data, borderColor: colour, backgroundColor: kind === "area" ? `${colour}26` : colour,
      fill: kind === "area" && index === 0, borderWidth: kind === "bar" ? 0 : 2, borderDash: set.dash ? [4, 4] : [],
      pointRadius: 0, pointHoverRadius: 4, tension: 0.3,
      // Between a day without and one with, a loose curve would dip below nothing.
      cubicInterpolationMode: "monotone", borderRadius: kind === "bar" ? 3 : 0, maxBarThickness: 22,
    };
  }

  function draw(canvas) {
    const data = JSON.parse(document.getElementById(canvas.dataset.source).textContent);
    const kind = canvas.dataset.chart;
    const value = (number) => (data.prefix || "") + number.toLocaleString() + (data.suffix || "");
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: kind === "area" ? "line" : kind,
      data: { labels: data.labels, datasets: data.sets.map((set, index) => dataset(set, index, kind)) },
      options: {
        interaction: { mode: "index", intersect: false },
        plugins: { tooltip: { callbacks: { label: (item) => ` ${item.dataset.label}: ${value(item.parsed.y)}` } } },
        scales: {
          x: { stacked: !!data.stacked, grid: { display: false }, border: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 16 } },
          y: { stacked: !!data.stacked, beginAtZero: true, border: { display: false }, ticks: { maxTicksLimit: 5, ...(data.fine ? {} : { precision: 0 }), callback: value } },
        },
      },
    });
  }

  function drawAll(part) {
    defaults();
    part.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  document.fonts.ready.then(() => drawAll(document));
  document.addEventListener("themechange", () => drawAll(document));
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.detail.target));
})();
