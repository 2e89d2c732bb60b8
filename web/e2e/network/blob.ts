/** What a network has authorised as its next runtime, and is none: the chain refuses it when somebody sends it. */
export const noRuntime = Buffer.from("the next runtime, if it were one");
