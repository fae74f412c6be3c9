// Shows the run of the cell that is pointed at. Bokeh calls this with the models named in document.py.

// Runs follow each other cell by cell, and within a cell as the selectors' options do.
const per_cell = selectors.reduce((product, selector) => product * selector.options.length, 1)
const offset = selectors.reduce(
  (place, selector) => place * selector.options.length + Number(selector.value), 0)
const cell = shown.data.cell[0]
const run = cell * per_cell + offset
const of_run = (name) => runs.data[name][run]
const rows = (source, name, first, count) =>
  Array.from({length: count}, (_, k) => source.data[name][first + k])

// The selectors choose which runs the cells show.
if (shown.data.offset[0] !== offset) {
  const phases = rows(cells, "left", 0, cells.data.left.length).map(
    (_, k) => runs.data.phase[k * per_cell + offset])
  cells.data = {...cells.data, colour: phases.map((phase) => colours[phase])}
  shown.data.offset[0] = offset
}
mark.data = Object.fromEntries(
  ["left", "right", "bottom", "top"].map((side) => [side, [cells.data[side][cell]]]))

// A log axis has no place for the state before the first update.
const first = of_run("first"), count = of_run("count")
const kept = rows(curves, "update", first, count).map((update) => update >= 1)
curve.data = Object.fromEntries(Object.keys(curve.data).map(
  (name) => [name, rows(curves, name, first, count).filter((_, k) => kept[k])]))
for (const [name, lines] of Object.entries(crossings)) {
  const step = of_run(name)
  for (const line of lines) {
    line.visible = step >= 0
    line.location = Math.max(step, 1)
  }
}

// Some systems keep nothing of the last state.
if (state !== null) {
  const length = state.data.number.length
  state.data = {
    ...state.data,
    x: rows(points, "x", run * length, length),
    y: rows(points, "y", run * length, length),
  }
  const names = of_run("columns") > 1 ? several_columns : one_column
  across.axis_label = names[0]
  up.axis_label = names[1]
}

const diverged = of_run("diverged_step")
const absent = diverged < 0 ? `not within ${of_run("steps_run")} ${unit}s`
  : `not before it diverged at ${unit} ${diverged}`
const when = (name) => of_run(name) < 0 ? absent : `at ${unit} ${of_run(name)}`
const fraction = (name, otherwise) =>
  Number.isNaN(of_run(name)) ? otherwise : of_run(name).toFixed(2)
const place = [
  ...[cells.data.first_value[cell], cells.data.second_value[cell]].filter((text) => text !== ""),
  ...selectors.map(({title, options, value}) =>
    `${title}${title === "seed" ? "" : " ="} ${options[Number(value)][1]}`),
]
const phase = of_run("phase")
// A run that diverged before its first update has no learning curve.
const is_run = of_run("steps_run") >= 0
const both = of_run("train_step") >= 0 && of_run("test_step") >= 0
const lag = both ? `, lag ${of_run("test_step") - of_run("train_step")}` : ""
const lines = [
  `<b>${place.join(", ")}</b>`,
  `<span style="background:${colours[phase]};border:1px solid #888888">&emsp;</span> ` +
    `<b>${labels[phase]}</b>` +
    (is_run ? `${lag}, run of ${of_run("steps_run")} ${unit}s`
      : `${guessed[of_run("source")] ?? ""}, no run is stored`),
]
if (is_run) {
  const unknown = "not known"
  const no_rqi = Number.isNaN(of_run("train_accuracy")) ? unknown : "not defined"
  lines.push(
    ...thresholds.map(([name, threshold]) => `${threshold}: ${when(name)}`),
    "last: " + last.map(([name, label]) =>
      `${label} ${fraction(name, name === "rqi" ? no_rqi : unknown)}`).join(", "))
  if (diverged >= 0) lines.push(`diverged at ${unit} ${diverged}`)
}
text.text = lines.join("<br>")
