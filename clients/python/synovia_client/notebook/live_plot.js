/** Draws what LivePlot sends: float64 of x, then of each line. */
const LIGHT = ["#2a6fdb", "#d9480f", "#2b8a3e", "#8e44ad", "#b8860b", "#0b7285"];
const DARK = ["#7cabff", "#ff9a66", "#69d07f", "#d49cf0", "#e6bf4f", "#5fd0e0"];
const MARGIN = { left: 56, right: 12, top: 8, bottom: 36 };

/** Read the values of x and of each line; they lie in a buffer of their own, as a view may begin anywhere. */
export function columnsOf(data, lines) {
  const bytes = data?.byteLength ?? 0;
  const values = new Float64Array(data ? data.buffer.slice(data.byteOffset, data.byteOffset + bytes) : 0);
  const length = values.length / (lines + 1);
  return Array.from({ length: lines + 1 }, (_, index) => values.subarray(index * length, (index + 1) * length));
}

/** Give the bounds of all finite values, with something between them. */
export function boundsOf(columns) {
  let [low, high] = [Infinity, -Infinity];
  for (const column of columns) {
    for (const value of column) {
      if (value < low && value > -Infinity) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  if (low > high) return [0, 1];
  const pad = low === high ? Math.abs(low) / 10 || 1 : 0;
  return [low - pad, high + pad];
}

/** Give round numbers between bounds, about so many. */
export function ticksOf([low, high], about) {
  const rough = (high - low) / Math.max(about, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

function draw(canvas, model) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, model.get("height")];
  if (!width) return;
  canvas.style.height = `${height}px`;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const [x, ...lines] = columnsOf(model.get("data"), model.get("names").length);
  const [xs, ys] = [boundsOf([x]), padded(boundsOf(lines))];
  const area = { x: MARGIN.left, y: MARGIN.top, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const across = (value) => area.x + ((value - xs[0]) / (xs[1] - xs[0])) * area.width;
  const up = (value) => area.y + area.height - ((value - ys[0]) / (ys[1] - ys[0])) * area.height;
  const style = getComputedStyle(canvas);
  pen.font = style.font;
  drawAxes(pen, style.color, area, model, { ticks: ticksOf(xs, area.width / 90), at: across }, { ticks: ticksOf(ys, area.height / 45), at: up });
  pen.save();
  pen.beginPath();
  pen.rect(area.x, area.y, area.width, area.height);
  pen.clip();
  const colours = coloursOn(style.color);
  lines.forEach((line, index) => drawLine(pen, colours[index % colours.length], x, line, across, up));
  pen.restore();
}

function padded([low, high]) {
  const pad = (high - low) * 0.05;
  return [low - pad, high + pad];
}

function drawAxes(pen, ink, area, model, horizontal, vertical) {
  pen.fillStyle = pen.strokeStyle = ink;
  pen.lineWidth = 1;
  const faint = (alpha, run) => {
    pen.globalAlpha = alpha;
    run();
    pen.globalAlpha = 1;
  };
  const line = (...points) => {
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(Math.round(x) + 0.5, Math.round(y) + 0.5);
    pen.stroke();
  };
  const [right, bottom] = [area.x + area.width, area.y + area.height];
  faint(0.12, () => {
    for (const tick of vertical.ticks) line([area.x, vertical.at(tick)], [right, vertical.at(tick)]);
    for (const tick of horizontal.ticks) line([horizontal.at(tick), area.y], [horizontal.at(tick), bottom]);
  });
  faint(0.75, () => {
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const tick of vertical.ticks) pen.fillText(String(tick), area.x - 6, vertical.at(tick));
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const tick of horizontal.ticks) pen.fillText(String(tick), horizontal.at(tick), bottom + 5);
    pen.fillText(model.get("x_label"), area.x + area.width / 2, bottom + 20);
    pen.save();
    pen.translate(4, area.y + area.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(model.get("y_label"), 0, 0);
    pen.restore();
  });
}

/** Draw a line; what is no number is a gap. */
function drawLine(pen, colour, x, y, across, up) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.75;
  pen.lineJoin = "round";
  pen.beginPath();
  let begun = false;
  for (let index = 0; index < y.length; index++) {
    const there = Number.isFinite(x[index]) && Number.isFinite(y[index]);
    if (there && begun) pen.lineTo(across(x[index]), up(y[index]));
    else if (there) pen.moveTo(across(x[index]), up(y[index]));
    begun = there;
  }
  pen.stroke();
}

/** Colours that can be told apart beside ink of a colour: light ones beside light ink. */
function coloursOn(ink) {
  const [red = 0, green = 0, blue = 0] = (ink.match(/[\d.]+/g) ?? []).map(Number);
  return red + green + blue > 380 ? DARK : LIGHT;
}

function render({ model, el }) {
  el.classList.add("synovia-plot");
  const [title, canvas, legend, trouble] = ["h4", "canvas", "ul", "p"].map((tag) => el.appendChild(document.createElement(tag)));
  legend.className = "legend";
  trouble.className = "trouble";
  trouble.setAttribute("role", "alert");
  canvas.setAttribute("role", "img");

  let due = 0;
  const redraw = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      draw(canvas, model);
    });
  };
  const write = () => {
    title.textContent = model.get("title");
    title.hidden = !model.get("title");
    trouble.textContent = model.get("trouble");
    const names = model.get("names");
    canvas.setAttribute("aria-label", `${model.get("title") || "a plot"}: ${names.join(", ")} over ${model.get("x_label")}`);
    const colours = coloursOn(getComputedStyle(canvas).color);
    legend.replaceChildren(...names.map((name, index) => {
      const item = document.createElement("li");
      item.textContent = name;
      item.style.setProperty("--line", colours[index % colours.length]);
      return item;
    }));
    redraw();
  };
  write();
  for (const name of ["title", "trouble", "names", "x_label", "y_label", "height"]) model.on(`change:${name}`, write);
  model.on("change:data", redraw);
  const sizes = new ResizeObserver(write);
  sizes.observe(canvas);
  const theme = matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", write);
  return () => {
    sizes.disconnect();
    theme.removeEventListener("change", write);
    cancelAnimationFrame(due);
  };
}

export default { render };
