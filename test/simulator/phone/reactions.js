// Reactions are messages of their own that hang on another message.

/**
 * reactionsOf gives for each message id its badges, {emoji, mine}, the
 * business's first. The last reaction of each side holds; an absent or empty
 * emoji takes it back.
 */
export function reactionsOf(messages) {
  const sides = new Map(); // message id -> {in, out}
  for (const msg of messages) {
    const target = msg.type === "reaction" && msg.raw?.reaction?.message_id;
    if (!target) continue;
    const side = sides.get(target) ?? {};
    side[msg.direction] = msg.raw.reaction.emoji || "";
    sides.set(target, side);
  }
  const badges = new Map();
  for (const [id, side] of sides) {
    badges.set(id, ["out", "in"].filter((way) => side[way]).map((way) => ({ emoji: side[way], mine: way === "in" })));
  }
  return badges;
}

/** ownReaction is the emoji the person has put on a message, "" for none. */
export const ownReaction = (messages, id) => reactionsOf(messages).get(id)?.find((badge) => badge.mine)?.emoji ?? "";
