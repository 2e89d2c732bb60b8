/** Every page as axe and the screenshots see it. A page that is added is named here. */
export const pages: readonly { name: string; path: string }[] = [
  { name: "home", path: "/" },
  { name: "accounts", path: "/accounts" },
  { name: "network", path: "/network" },
  { name: "invite", path: "/invite" },
  { name: "contribute", path: "/contribute" },
  { name: "datanets", path: "/datanets" },
  { name: "datanet", path: "/datanets/0" },
  { name: "new-datanet", path: "/datanets/new" },
  { name: "factory", path: "/factory" },
  { name: "runs", path: "/runs" },
  { name: "compare", path: "/runs/compare" },
  { name: "chat", path: "/chat" },
  { name: "attribution", path: "/attribution" },
  { name: "operators", path: "/operators" },
  { name: "account", path: "/accounts/5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" },
  { name: "missing", path: "/no-such-page" },
];
