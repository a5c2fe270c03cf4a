package domain

// Amends names the earlier message that a message changes or withdraws, or is empty.
func Amends(c Content) MessageID {
	switch c := c.(type) {
	case Edit:
		return c.Target
	case Revoke:
		return c.Target
	}
	return ""
}

// Standing gives messages as they stand after their edits and withdrawals: an edited one
// with its newest content, a withdrawn one not at all. The edits and withdrawals
// themselves stay, in their places, and so does everything in the order it has. An edit
// that could not be read changes nothing.
func Standing(messages []Message) []Message {
	var edited map[MessageID]Content
	var gone map[MessageID]bool
	for _, m := range messages {
		switch c := m.Content.(type) {
		case Edit:
			if c.Content != nil {
				if edited == nil {
					edited = map[MessageID]Content{}
				}
				edited[c.Target] = c.Content
			}
		case Revoke:
			if gone == nil {
				gone = map[MessageID]bool{}
			}
			gone[c.Target] = true
		}
	}
	if edited == nil && gone == nil {
		return messages
	}
	out := make([]Message, 0, len(messages))
	for _, m := range messages {
		if gone[m.ID] {
			continue
		}
		if c, ok := edited[m.ID]; ok && StartsTurn(m.Content) {
			m.Content = c
		}
		out = append(out, m)
	}
	return out
}
