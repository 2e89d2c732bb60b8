// The rules of admission by the numbers that the transaction pool answers: the words of
// primitives/src/refusal.rs, with which a test compares them.

interface Rule {
  name: string;
  words: string;
  next?: string;
}

export const refusals: Readonly<Record<number, Rule>> = {
  1: { name: "UnknownDatanet", words: "there is no Datanet of that number" },
  2: {
    name: "NotRegistered",
    words: "the account is not a registered contributor",
    next: "Become a contributor on the page Accounts, or ask somebody to sponsor you.",
  },
  3: { name: "ItemCount", words: "a submission holds 1 to 20 files" },
  4: { name: "WrongModality", words: "the format does not belong to this Datanet" },
  5: { name: "EmptyFile", words: "a file is empty" },
  6: { name: "DigestMismatch", words: "a content id does not belong to its file's sha256" },
  7: { name: "RepeatedItem", words: "two files of the submission are the same" },
  8: { name: "AlreadySubmitted", words: "this Datanet already has the same file" },
  9: {
    name: "DailyFiles",
    words: "the account's files of the day are used up",
    next: "Try again after 00:00 UTC.",
  },
  10: {
    name: "DailyBytes",
    words: "the account's bytes of the day are used up",
    next: "Try again after 00:00 UTC.",
  },
  11: {
    name: "DatanetDailyFiles",
    words: "the Datanet's files of the day are used up",
    next: "Try again after 00:00 UTC.",
  },
  12: {
    name: "DatanetDailyBytes",
    words: "the Datanet's bytes of the day are used up",
    next: "Try again after 00:00 UTC.",
  },
  13: {
    name: "DatanetPaused",
    words: "the Datanet takes no files for now",
    next: "Its owner may let files in again; choose another one meanwhile.",
  },
  14: { name: "DatanetClosed", words: "the Datanet is closed", next: "Choose another one." },
  15: {
    name: "ShareFiles",
    words: "the account's share of the Datanet's files of the day is used up",
    next: "Try again after 00:00 UTC.",
  },
  16: {
    name: "ShareBytes",
    words: "the account's share of the Datanet's bytes of the day is used up",
    next: "Try again after 00:00 UTC, or with smaller files.",
  },
  17: {
    name: "Barred",
    words: "the Datanet's owner barred the account",
    next: "Other Datanets take its files.",
  },
  18: {
    name: "PendingFiles",
    words: "too many files of the account wait for their verdicts",
    next: "Wait for verdicts, or take files back.",
  },
  19: {
    name: "SponsorshipEnded",
    words: "who paid the account's stake ended the sponsorship",
    next: "Become a contributor at your own expense on the page Accounts.",
  },
  20: { name: "KeptForAnother", words: "a refused file is kept for who submitted it first" },
  21: { name: "Tombstone", words: "the file was refused as harmful or not the contributor's to give" },
  22: {
    name: "NotPrecommitted",
    words: "no precommitment of the account names the file",
    next: "Submit it again: a precommitment is good for a day.",
  },
  23: { name: "AlreadyPrecommitted", words: "the account has the same precommitment already" },
  24: { name: "NotPending", words: "no submission of that file waits for a verdict" },
  25: { name: "NotAuthorized", words: "only who submitted the file may take it back" },
  26: {
    name: "ReviewFiles",
    words: "the Datanet's review budget pays for no more files of the day",
    next: "Try again after 00:00 UTC.",
  },
  27: {
    name: "ReviewShareFiles",
    words: "the Datanet's review budget pays for no more files of the account of the day",
    next: "Try again after 00:00 UTC.",
  },
  29: {
    name: "NotInvited",
    words: "the Datanet takes files of who was invited",
    next: "Ask its owner, or find an open one.",
  },
  30: {
    name: "TooFewPoints",
    words: "the Datanet takes files of who has earned points elsewhere",
    next: "Earn some where committees drawn from a modality's seats judge.",
  },
  28: {
    name: "Drawn",
    words:
      "a committee was drawn for the file, or the seed that draws it stands: it is neither taken back nor displaced any more",
    next: "Wait for its verdict, which is paid for.",
  },
  31: {
    name: "ReviewBudget",
    words: "the Datanet's review budget does not cover a committee for every file",
    next: "Submit fewer, or ask its owner to pay in.",
  },
  32: {
    name: "ReviewShare",
    words: "as much of the Datanet's review budget is set aside for the account's files as may be at a time",
    next: "Submit fewer, or wait until some of yours are judged.",
  },
};
