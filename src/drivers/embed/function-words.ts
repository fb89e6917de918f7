/** Words that hold sentences together and say little of what a text is about. There is no corpus to count them in, so the
 *  commonest are listed; a word that is missing here is only not damped. */
const WORDS: ReadonlySet<string> = new Set(
  [
    // English
    "a an and are as at be been being but by can could did do does done for from had has have having he her here him his",
    "how i if in into is it its just me more most my no nor not of on only or other our out over own same she should so",
    "some such than that the their them then there these they this those to too under until up us very was we were what",
    "when where which while who whom whose why will with would you your about above after again all also any because",
    "before below between both during each few may might must through against",
    // German
    "der die das den dem des ein eine einer eines einem einen und oder aber ist sind war waren sein hat haben wird werden",
    "nicht auch auf aus bei bis durch fur gegen im ins mit nach von vom vor zu zum zur uber unter wie was wer wo wann",
    "warum dass wenn als ich du er sie es wir ihr sich man so noch nur kann",
    // French
    "le la les un une des du de et ou mais est sont etait etre ont avoir que qui quoi dont ne pas par pour dans sur avec",
    "sans sous ce cet cette ces il elle ils elles je tu nous vous se sa son ses leur leurs au aux plus comme",
    // Spanish, Portuguese, Italian
    "el los las unos unas y o pero es son era ser que quien como cuando donde por para con sin sobre entre al del lo su",
    "sus se os um uma uns umas e ou mas nao em no na nos nas do da dos das ao pelo pela com il gli uno di del della dei",
    "delle che chi non per con su nel nella si piu sono",
  ]
    .join(" ")
    .split(" "),
);

/** Their likes in scripts without spaces: Chinese, Japanese kana, Korean particles. */
const CHARACTERS: ReadonlySet<string> = new Set(
  "的是了在和与及有为以于由被之其也而这那个一不到什么哪吗多少谁何几怎样如把将对从但并或就都还又只没很最着过们吧呢啊所" +
    "與為於這個麼嗎誰幾樣將對從並還沒著過們" +
    "のはをにがとでもしたてるすなれいあこそ" +
    "은는이가을를의에도로와과",
);

/** Whether a folded word is one that nearly every text has. Single letters count as such. */
export function isFunctionWord(word: string): boolean {
  return word.length === 1 || WORDS.has(word);
}

/** Whether a character of a script without spaces is one that nearly every text has. */
export function isFunctionCharacter(character: string): boolean {
  return CHARACTERS.has(character);
}
