// The page's CSS: one column on a phone, two or three beside each other on a desk; light, dark, and ink on paper.

import { chartColours, chartStyle } from './chart/chart-style.ts';

const light = `--page:#fff;--text:#161b22;--muted:#57606a;--rule:#d5dbe5;--card:#f7f9fc;--accent:#1d5fd1;--good:#15803d;--bad:#b42318;${chartColours.light}`;
const dark = `--page:#0f1318;--text:#e6eaf0;--muted:#9aa5b1;--rule:#2d3540;--card:#171c23;--accent:#6ea8fe;--good:#4ade80;--bad:#ff8f80;${chartColours.dark}`;

export const pageStyle = `
:root{color-scheme:light dark;${light}}
@media screen and (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:3.5rem;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,nav>ul,main,footer{max-width:1216px;margin:0 auto;padding:0 1rem}
header{padding-top:1.75rem}
h1,h2,h3,p,figure,dl,dd,ul{margin:0}
h1{font-size:clamp(1.7rem,5vw,2.4rem);line-height:1.15;overflow-wrap:anywhere}
h2{font-size:1.4rem;line-height:1.3;margin-bottom:.75rem}
h3{font-size:1.05rem;margin-bottom:.5rem;overflow-wrap:anywhere}
.kind{color:var(--muted);font-size:.85rem;letter-spacing:.02em}
.lead{color:var(--muted);margin-top:.35rem;max-width:75ch;overflow-wrap:anywhere}
.note{color:var(--muted);font-size:.9rem;margin:.6rem 0;max-width:90ch;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.75rem;margin:1.25rem 0 .25rem}
.tiles>div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.7rem .9rem}
.tiles dt{color:var(--muted);font-size:.85rem}
.tiles b{display:block;font-size:1.55rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tiles span{color:var(--muted);font-size:.8rem}
nav{position:sticky;top:0;background:var(--page);border-bottom:1px solid var(--rule);margin-top:1rem;z-index:2}
nav ul{display:flex;gap:1.1rem;list-style:none;overflow-x:auto;white-space:nowrap;padding-top:.6rem;padding-bottom:.6rem;font-size:.92rem}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
section{padding:1.75rem 0;border-bottom:1px solid var(--rule)}
section:last-child{border-bottom:0}
footer{color:var(--muted);font-size:.85rem;padding-top:1rem;padding-bottom:2rem}
figcaption{font-weight:600;font-size:.95rem;margin-bottom:.4rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,350px),1fr));gap:1.5rem}
.halves.later{margin-top:1.75rem}
.halves figure{max-width:480px}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:1.5rem 2.5rem;align-items:start}
.halves>*{min-width:0}
.stack{display:grid;gap:1.5rem;grid-template-columns:minmax(0,1fr)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:1rem}
article{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:1rem;min-width:0}
.ordinal{display:inline-block;min-width:1.6em;text-align:center;border-radius:1em;background:var(--band-1);color:var(--muted);font-size:.85em;padding:0 .4em;margin-right:.2em}
.brought{margin-bottom:.75rem}
.brought b{font-size:1.45rem;font-variant-numeric:tabular-nums}
.brought span{color:var(--muted);font-size:.85rem;display:block}
em{font-style:normal;font-weight:600}
.better{color:var(--good)}.worse{color:var(--bad)}.same{color:var(--muted)}
.facts>div{display:grid;grid-template-columns:minmax(6.5rem,9rem) minmax(0,1fr);gap:.15rem .75rem;padding:.3rem 0;border-top:1px solid var(--rule);font-size:.92rem}
.facts{margin:.75rem 0}
.facts dt{color:var(--muted)}
.facts dd{overflow-wrap:anywhere}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.75rem 1rem;overflow:auto;max-height:28rem;margin:.6rem 0}
pre code{overflow-wrap:normal}
.scroll{overflow:auto;max-height:34rem}
.scroll:has(.heat){max-height:none}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;color:var(--muted);font-size:.85rem;padding-bottom:.35rem}
th,td{padding:.32rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
thead th{vertical-align:bottom;background:var(--page);position:sticky;top:0}
.heat thead th{position:static}
tbody th{font-weight:600;max-width:16rem;overflow-wrap:anywhere}
tbody th.word{min-width:6.5rem}
td.word{overflow-wrap:anywhere;min-width:6rem}
.number{text-align:right;white-space:nowrap}
thead .number{white-space:normal}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
th button::after{content:"↕";color:var(--muted);margin-left:.25em;font-weight:400}
th[aria-sort=ascending] button::after{content:"↑";color:var(--accent)}
th[aria-sort=descending] button::after{content:"↓";color:var(--accent)}
svg.bar{display:block;width:100%;min-width:3.5rem;height:4px;margin-top:3px}
.rail{fill:var(--rule)}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--accent);font-size:.92rem;width:fit-content}
details[open] summary{margin-bottom:.6rem}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(132px,1fr));gap:1rem;list-style:none;padding:0}
.mistakes li{font-size:.9rem;line-height:1.35;min-width:0;overflow-wrap:anywhere}
.picture{aspect-ratio:1;background:var(--card);border:1px solid var(--rule);border-radius:8px;display:flex;align-items:center;justify-content:center;overflow:hidden;margin-bottom:.4rem}
.picture img{width:100%;height:100%;object-fit:contain;display:block}
.picture span{color:var(--muted);font-size:.8rem;padding:.5rem;text-align:center}
.wrong{color:var(--bad)}
.sure{color:var(--muted)}
.file{color:var(--muted);font-size:.78rem}
@media (max-width:600px){
.tiles{grid-template-columns:repeat(2,1fr)}
.tiles b{font-size:1.3rem}
.mistakes{grid-template-columns:repeat(auto-fill,minmax(100px,1fr));gap:.75rem}
.facts>div{grid-template-columns:6.5rem minmax(0,1fr)}
}
@media print{
body{font-size:11pt}
nav,details:not([open]){display:none}
table{font-size:8.5pt}
th,td{padding:.2rem .35rem}
.number{white-space:normal}
td.word{min-width:0}
.scroll,pre{max-height:none;overflow:visible}
pre code{white-space:pre-wrap}
section{break-inside:auto;padding:1rem 0}
article,figure,.mistakes li,tr{break-inside:avoid}
thead th,.heat th.row{position:static}
th button::after{content:""}
.picture,.tiles>div,article{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
${chartStyle}`;
