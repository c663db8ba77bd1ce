// The look of charts, as CSS: colours by custom properties, light, dark and on paper. Texts have a contrast of 4.5 to
// their ground at least, lines and fills of 3; lines differ by dash too, and no chart is read by colour alone.

export const chartColours = {
  light: `--c1:#1d5fd1;--c2:#c2410c;--c3:#15803d;--c4:#7c3aed;--c5:#be185d;--c6:#6b7280;
--band-0:#f1f4f9;--band-1:#e4e9f2;--grid:#d5dbe5;--hit:29,95,209;--miss:194,65,12;--heat-text:#fff;`,
  dark: `--c1:#6ea8fe;--c2:#fb923c;--c3:#4ade80;--c4:#c4b5fd;--c5:#f9a8d4;--c6:#9ca3af;
--band-0:#1b2129;--band-1:#242c37;--grid:#36404d;--hit:110,168,254;--miss:251,146,60;--heat-text:#0d1117;`,
} as const;

const colours = [1, 2, 3, 4, 5, 6] as const;
const levels = Array.from({ length: 10 }, (_, level) => level);

/** From here on a cell is full enough for the other text colour; between the two no text would be read well. */
const strongLevel = 7;

export const chartStyle = `
svg.chart{display:block;width:100%;height:auto;font:12px system-ui,sans-serif}
.chart text{fill:var(--text)}
.chart .tick,.chart .axis{fill:var(--muted);font-size:11.5px}
.chart .band-name{font-size:11.5px;fill:var(--muted)}
.chart .row-name{font-size:13px}
.chart .row-total{font-size:12px;fill:var(--muted)}
.band-0{fill:var(--band-0)}.band-1{fill:var(--band-1)}
.grid{stroke:var(--grid);stroke-width:1}
.mark{stroke:var(--text);stroke-width:1.5;stroke-dasharray:2 3}
.diagonal{stroke:var(--text);stroke-width:1.5;stroke-dasharray:2 3}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
path.line-1{stroke-dasharray:6 4}
${colours.map((i) => `.line.line-${i}{stroke:var(--c${i})}.dot.line-${i}{fill:var(--c${i})}.best.line-${i}{fill:var(--page);stroke:var(--c${i});stroke-width:2.5}.fill-${i}{fill:var(--c${i})}`).join('\n')}
.soft-1{fill:var(--c1);fill-opacity:.28;stroke:var(--c1);stroke-width:1.2}
.part{stroke:var(--page);stroke-width:.7}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:.5rem 0 0;padding:0;font-size:.85rem;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:.4rem}
.swatch{width:24px;height:12px;flex:none}
.heat{border-collapse:separate;border-spacing:2px;font-variant-numeric:tabular-nums;width:auto}
.heat caption{position:absolute;width:1px;height:1px;padding:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.heat td,.heat th{border:0;padding:0 .25rem;text-align:center;vertical-align:middle;min-width:2.3rem;height:2.1rem;border-radius:3px}
.heat th{font-weight:600;background:var(--page)}
.heat th.row{text-align:right;position:sticky;left:0;padding-right:.5rem}
.heat th.row span{display:inline-block;max-width:15rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:middle}
.heat thead th{vertical-align:bottom}
.heat th.column span{display:inline-block;max-height:10rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.heat.long th.column span{writing-mode:vertical-rl;transform:rotate(180deg)}
.heat .span-title{color:var(--muted);font-weight:400}
.heat .nil{color:var(--muted);background:var(--band-0)}
${levels.map((level) => heatRules(level)).join('\n')}
@media (max-width:600px){.heat th.row span{max-width:7rem}.heat td,.heat th{min-width:1.65rem;height:1.75rem;padding:0 .1rem;font-size:.82rem}}
@media print{.chart rect,.heat td,.heat th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;

function heatRules(level: number): string {
  const isStrong = level >= strongLevel;
  const alpha = (isStrong ? 0.94 + 0.03 * (level - strongLevel) : 0.1 + 0.07 * level).toFixed(2);
  const text = isStrong ? ';color:var(--heat-text)' : '';
  return `.hit-${level}{background:rgba(var(--hit),${alpha})${text}}.miss-${level}{background:rgba(var(--miss),${alpha})${text}}`;
}
