"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const element = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const preference = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = preference.matches ? "dark" : "light";

  // ---- figures -----------------------------------------------------------------------------------
  const timeFigures = ["energy", "temperature", "gyration", "uncertainty"].filter((name) => data.figures[name]);
  const means = {};

  function themed(name) {
    const { data: traces, layout } = structuredClone(data.figures[name]);
    const accent = colour("--accent");
    for (const trace of traces) {
      trace.line = { color: accent, width: 1.5 };
      trace.marker = { color: accent, ...trace.marker };
    }
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true };
    means[name] = (layout.shapes || []).map((shape) => ({
      ...shape, line: { ...shape.line, color: colour("--muted") },
    }));
    return [traces, {
      ...layout,
      shapes: means[name],
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("--text") },
      margin: { l: 64, r: 18, t: 8, b: 44 },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis, title: { ...layout.yaxis.title, standoff: 10 } },
      hovermode: layout.hovermode || "x",
    }];
  }

  function drawFigures() {
    const options = { responsive: true, displayModeBar: false };
    for (const name of ["energy", "temperature", "gyration", "uncertainty", "torsions", "torsion_map"]) {
      const place = element(name);
      if (data.figures[name]) Plotly.react(place, ...themed(name), options);
      else if (place) place.closest("section").remove();
    }
  }

  function markTime(time) {
    const line = { color: colour("--accent"), width: 1, dash: "dot" };
    const cursor = { type: "line", xref: "x", yref: "y domain", x0: time, x1: time, y0: 0, y1: 1, line };
    for (const name of timeFigures) Plotly.relayout(element(name), { shapes: [...means[name], cursor] });
  }

  // ---- the chain ---------------------------------------------------------------------------------
  const scene = data.scene;
  const frames = scene.times.length;
  let viewer = null;
  let model = null;

  function coordinates() {
    const bytes = Uint8Array.from(atob(scene.coordinates), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const atoms = scene.elements.length;
    const at = (i) => view.getInt16(2 * i, true) * scene.resolution;
    return Array.from({ length: frames }, (_, f) => Array.from({ length: atoms }, (_, a) => {
      const first = 3 * (f * atoms + a);
      return [at(first), at(first + 1), at(first + 2)];
    }));
  }

  function build() {
    viewer = $3Dmol.createViewer(element("scene"), { antialias: true });
    if (!viewer) throw new Error("no WebGL");
    const all = coordinates();
    const atoms = scene.elements.map((elem, i) => ({
      elem, atom: elem, serial: i, resi: scene.units[i] + 1, hetflag: true, bonds: [], bondOrder: [],
      x: all[0][i][0], y: all[0][i][1], z: all[0][i][2],
    }));
    for (const [i, j] of scene.bonds) {
      for (const [a, b] of [[i, j], [j, i]]) {
        atoms[a].bonds.push(b);
        atoms[a].bondOrder.push(1);
      }
    }
    model = viewer.addModel();
    model.addAtoms(atoms);
    model.setCoordinates(all, "array");
  }

  function paint() {
    if (!viewer) return;
    const dark = root.dataset.theme === "dark";
    const options = { colorscheme: element("colour").value === "unit"
      ? { prop: "resi", gradient: new $3Dmol.Gradient.Sinebow(0, Math.max(...scene.units) + 2) }
      : { prop: "elem", map: { ...$3Dmol.elementColors.Jmol, C: dark ? 0x8fa0b2 : 0x566575, H: 0xe8edf2 } } };
    const styles = {
      ball: { stick: { radius: 0.12, ...options }, sphere: { scale: 0.24, ...options } },
      stick: { stick: { radius: 0.16, ...options } },
      sphere: { sphere: { scale: 0.95, ...options } },
    };
    viewer.setBackgroundColor(colour("--scene"));
    viewer.setStyle({}, styles[element("style").value]);
    if (!element("hydrogens").checked) viewer.setStyle({ elem: "H" }, {});
    viewer.render();
  }

  function fit() {
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    viewer.zoomTo();
    viewer.zoom(1.2);
    viewer.render();
  }

  function show(frame) {
    element("frame").value = frame;
    element("clock").textContent = scene.times[frame].toFixed(3) + " ps";
    if (viewer) viewer.setFrame(frame).then(() => viewer.render());
    markTime(scene.times[frame]);
  }

  // ---- controls ----------------------------------------------------------------------------------
  let timer = null;

  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => show((Number(element("frame").value) + 1) % frames), 70) : null;
    element("play").textContent = on ? "Pause" : "Play";
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    drawFigures();
    paint();
    show(Number(element("frame").value));
  }

  element("frame").max = frames - 1;
  element("play").disabled = frames < 2;
  element("play").onclick = () => play(timer === null);
  element("frame").oninput = (event) => { play(false); show(Number(event.target.value)); };
  for (const id of ["style", "colour", "hydrogens"]) element(id).onchange = paint;
  element("theme").onclick = () => setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  preference.onchange = (event) => setTheme(event.matches ? "dark" : "light");
  element("copy").onclick = () => navigator.clipboard.writeText(element("command").textContent);
  element("reset").onclick = fit;

  try {
    build();
    paint();
    fit();
  } catch (error) {
    viewer = null;
    element("reset").disabled = true;
    element("scene").innerHTML = '<p class="missing">This browser offers no WebGL, so the chain cannot be drawn '
      + "here. The frames are in trajectory.dcd and topology.pdb.</p>";
    console.error(error);
  }
  drawFigures();
  show(0);
})();
