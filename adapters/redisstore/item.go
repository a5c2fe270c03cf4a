package redisstore

import (
	"strconv"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// item is one message on its way in.
type item struct {
	message *domain.Message
	data    string
	id      string // hash of the message's id
	user    name   // the sender's names
	phone   name
	route   name // the name that decides where the mark of the id lives
	change  domain.System
	// moved is true when the message itself says that a name changed.
	moved  bool
	answer *ports.Admission
}

func (s *Store) newItem(m *domain.Message, answer *ports.Admission) (*item, error) {
	id := s.messageHash(m.ID)
	data, err := s.sealer.EncodeMessage(*m, id)
	if err != nil {
		return nil, err
	}
	it := &item{
		message: m, data: string(data), id: id, answer: answer,
		user: s.userName(m.Number, m.From.UserID), phone: s.phoneName(m.Number, m.From.Phone),
	}
	answer.Message = m.ID
	if it.route = it.user; it.route == "" {
		it.route = it.phone
	}
	it.change, _ = m.Content.(domain.System)
	it.moved = it.change.NewUser != "" || (it.change.NewPhone != "" && it.change.NewPhone != m.From.Phone)
	return it, nil
}

func (it *item) settle(conv string, fresh bool) {
	it.answer.Conversation, it.answer.New = domain.ConversationID(conv), fresh
}

// byName are the script's arguments for a message whose conversation its name gives.
func (it *item) byName() []string {
	linked := it.phone // of a person with a user id: the number must lead there too
	if it.user == "" {
		linked = ""
	}
	return []string{it.id, string(it.route), string(it.route), string(linked), "", "", it.hold(), it.pause(), it.data}
}

// toConversation are the script's arguments for a message whose conversation is
// chosen. The mark of the id lives with the name if that shares the partition, else
// with the conversation.
func (s *Store) toConversation(it *item, conv string, sameHome bool) []string {
	owner := conv
	if sameHome {
		owner = string(it.route)
	}
	return []string{it.id, owner, "", "", conv, s.tombstone(conv), it.hold(), it.pause(), it.data}
}

func (it *item) hold() string { return strconv.FormatInt(it.message.Hold.Microseconds(), 10) }

// pause is empty for a message that pauses nothing.
func (it *item) pause() string {
	if it.message.Pause == 0 {
		return ""
	}
	return micros(it.message.Pause)
}

// independent reports whether messages of different names in a batch can be admitted
// in any order: when all senders are known in the same way and nobody changes names,
// two names are two people, or one person whose order nobody can tell.
func independent(items []*item) bool {
	for _, it := range items {
		if it.moved || (it.user == "") != (items[0].user == "") {
			return false
		}
	}
	return true
}

// runs splits a batch where the routing name changes.
func runs(items []*item) [][]*item {
	var out [][]*item
	for i, it := range items {
		if i == 0 || it.route != items[i-1].route {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], it)
	}
	return out
}

// groupBy sorts items under keys and keeps their order within each.
func groupBy[K comparable](items []*item, key func(*item) K) map[K][]*item {
	out := map[K][]*item{}
	for _, it := range items {
		out[key(it)] = append(out[key(it)], it)
	}
	return out
}
