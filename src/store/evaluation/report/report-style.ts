/** How a report looks, light and dark, without anything from elsewhere. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --a: #0b6bcb; --b: #b3541e; --good: #1a7f37; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa4af; --line: #3a424b; --paper: #14181d; --a: #6cb2ff; --b: #f0a36b; --good: #5fd07d; --bad: #ff8d85; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p, figcaption { color: var(--soft); margin: 0.25rem 0; }
figure { margin: 0.5rem 0 1rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .value { fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .axis { stroke: var(--line); }
svg .a { fill: var(--a); } svg .b { fill: var(--b); } svg .good { fill: var(--good); } svg .bad { fill: var(--bad); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
details { margin: 0.5rem 0; } summary { cursor: pointer; color: var(--soft); }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; vertical-align: -0.05em; }
.key.a { background: var(--a); } .key.b { background: var(--b); }
`;
