// The search of the index. Words of a statement (its names, abbreviations, codes and synonyms) find the rows that have
// the statement; all other words are looked for in the texts of the row.

/** Letters and digits in small letters, one space between words and at both ends. */
const plain = (text) => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;

const said = data.said.map(([name, words]) => ({ name, words: [name, ...words].map(plain) }));

/** The statements that a phrase names: as whole words; a long one may be the beginning of a longer word. */
function statementsNamed(phrase) {
  const wanted = phrase.length > 5 ? phrase.trimEnd() : phrase;
  const found = said.map((_, index) => index).filter((index) => said[index].words.some((word) => word.includes(wanted)));
  const whole = found.filter((index) => said[index].words.includes(phrase));
  return new Set(whole.length ? whole : found);
}

/** What is asked for: the whole query if it names a statement, or else each of its words. */
function asked(query) {
  const phrase = plain(query);
  if (!phrase.trim()) return [];
  const term = (text) => ({ text: text.trim(), statements: statementsNamed(text) });
  const all = term(phrase);
  return all.statements.size ? [all] : phrase.trim().split(" ").map((word) => term(` ${word} `));
}

/** Whether a row has all that is asked for, each in at least the degree. */
function fits(row, terms, degree) {
  return terms.every(({ text, statements }) =>
    row.statements.some(([statement, of]) => statements.has(statement) && (!degree || !of || of <= degree)) ||
    row.text.includes(text));
}
