// Draws the figures in the colours of the page, which are the system's: light or dark.

const dark = window.matchMedia("(prefers-color-scheme: dark)")
const paint = () => {
  const [paper, ink] = dark.matches ? ["#28282d", "#e4e4e7"] : ["#ffffff", "#444444"]
  for (const figure of figures) {
    figure.setv({background_fill_color: paper, border_fill_color: paper})
    for (const axis of [...figure.below, ...figure.left]) {
      axis.setv({
        axis_label_text_color: ink, major_label_text_color: ink,
        axis_line_color: ink, major_tick_line_color: ink,
      })
      // Where minor ticks are left out they stay so.
      if (axis.minor_tick_line_color !== null) axis.minor_tick_line_color = ink
    }
    for (const legend of figure.above) {
      legend.setv({background_fill_color: paper, label_text_color: ink})
    }
  }
  if (numbers !== null) numbers.text_color = {value: ink}
}
dark.addEventListener("change", paint)
paint()

// A finger that is drawn over a figure scrolls the page; the tool is there to be chosen.
if (window.matchMedia("(pointer: coarse)").matches) {
  for (const figure of figures) {
    for (const tool of figure.toolbar.tools) {
      if (tool.type === "PanTool") tool.active = false
    }
  }
}
