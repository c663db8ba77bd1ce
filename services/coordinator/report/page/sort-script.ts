// The page's only script: tables of class "sortable" get buttons in their headings. Without it the page is the same, and
// the tables stand in the order that they came in. It listens by itself; no element carries a handler.

export const sortScript = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const isNumber = head.classList.contains('number');
      const isAscending = head.ariaSort === null ? !isNumber : head.ariaSort === 'descending';
      const keyOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const compare = isNumber
        ? (a, b) => Number(keyOf(a)) - Number(keyOf(b))
        : (a, b) => keyOf(a).localeCompare(keyOf(b), undefined, { numeric: true });
      const rows = [...body.rows].sort((a, b) => (isAscending ? compare(a, b) : compare(b, a)));
      body.append(...rows);
      for (const other of heads) other.ariaSort = null;
      head.ariaSort = isAscending ? 'ascending' : 'descending';
    });
  });
}
`;
