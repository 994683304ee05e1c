// The options of a list, replaced only when they differ: the list may be open.

/** @param {HTMLSelectElement} select @param {HTMLOptionElement[]} options */
export function setOptions(select, options) {
  if (describe(options) === describe(select.options)) return;
  const { value } = select;
  select.replaceChildren(...options);
  if (options.some((option) => option.value === value)) select.value = value;
}

/** @param {Iterable<HTMLOptionElement>} options */
function describe(options) {
  return JSON.stringify([...options].map(({ value, text }) => [value, text]));
}
