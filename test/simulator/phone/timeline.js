// Turns as the simulator reports them, event by event, made into rows.

// Who the time up to a stage belongs to. The order is that of the legend.
export const GROUPS = {
  queue: "Waiting",
  hear: "Hearing",
  think: "Thinking",
  speak: "Speaking",
  send: "Sending",
  person: "The person",
  fault: "Failed",
};

const STAGES = {
  received: ["queue", "received"], leased: ["queue", "leased"], joined: ["queue", "joined"], deferred: ["queue", "put off"],
  downloaded: ["hear", "downloaded"], transcribed: ["hear", "transcribed"],
  first_token: ["think", "first token"], tool_called: ["think", "called"], answered: ["think", "answered"],
  first_audio: ["speak", "first audio"], spoken: ["speak", "spoken"], encoded: ["speak", "encoded"],
  fallback: ["fault", "fell back"], unsettled: ["send", "unsettled"],
  uploaded: ["send", "uploaded"], sending: ["send", "sending"], sent: ["send", "sent"], finished: ["send", "finished"], delivered: ["send", "delivered"],
  read: ["person", "read"], played: ["person", "played"],
  refused: ["fault", "refused"], failed: ["fault", "failed"], dropped: ["fault", "dropped"], dead: ["fault", "given up"],
};

const RANK = Object.keys(STAGES);

/** stageGroup and stageName: a stage this page does not know counts as waiting and keeps its own name. */
export const stageGroup = (stage) => STAGES[stage]?.[0] ?? "queue";
export const stageName = (stage) => STAGES[stage]?.[1] ?? String(stage).replaceAll("_", " ");

/** addEvent files one event under its turn, once; the oldest turns fall out over max. */
export function addEvent(turns, event, max) {
  let turn = turns.get(event.turn);
  if (!turn) {
    turn = { turn: event.turn, user: event.user, messages: new Set(), events: new Map() };
    turns.set(event.turn, turn);
    if (turns.size > max) turns.delete(turns.keys().next().value);
  }
  turn.user ||= event.user; // an early stage may be known before whose turn it is
  // State and stream can both bring an event: the same stage at the same moment is one.
  turn.events.set(`${event.stage}|${event.at}|${event.detail ?? ""}`, event);
  for (const id of event.message_ids ?? []) turn.messages.add(id);
}

/**
 * rowOf computes what the panel draws for one turn:
 *   start      Unix ms of the first stage
 *   stages     in order: {stage, name, group, at, ms since start, took since the stage before, detail}
 *   machineMs  span up to the last stage that is not the person's own doing
 *   outcome    the furthest stage reached; statuses may arrive out of order, and a failure outdoes them, but
 *              what follows a refused part, such as the answer as text, outdoes the refusal
 */
export function rowOf(turn) {
  const events = [...turn.events.values()].sort((a, b) => a.at - b.at || (a.ms ?? 0) - (b.ms ?? 0));
  const start = events[0].at - (events[0].ms ?? 0);
  let before = 0;
  const stages = events.map((event) => {
    const ms = Math.max(0, event.ms ?? event.at - start);
    const stage = { stage: event.stage, name: stageName(event.stage), group: stageGroup(event.stage), at: event.at, ms, took: Math.max(0, ms - before), detail: event.detail ?? "" };
    before = Math.max(before, ms);
    return stage;
  });
  const machine = stages.filter((s) => s.group !== "person");
  return {
    turn: turn.turn,
    user: turn.user,
    start,
    stages,
    machineMs: machine.length ? machine[machine.length - 1].ms : 0,
    outcome: stages.reduce((far, s) => (far.stage === "refused" || RANK.indexOf(s.stage) >= RANK.indexOf(far.stage) ? s : far)),
  };
}

/** rowsFor gives one person's turns, the newest first, at most max. */
export function rowsFor(turns, user, max) {
  return [...turns.values()]
    .filter((t) => t.user === user)
    .map(rowOf)
    .sort((a, b) => b.start - a.start)
    .slice(0, max);
}

/** niceSpan rounds a span up to 1, 2 or 5 times a power of ten, for the scale above the bars. */
export function niceSpan(ms) {
  const floor = Math.max(ms, 100);
  const power = 10 ** Math.floor(Math.log10(floor));
  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= floor);
}
