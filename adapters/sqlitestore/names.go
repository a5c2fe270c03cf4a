package sqlitestore

import "whatsappnode/domain"

// item is a message made ready to be stored, so that the writer's goroutine need not
// encode and seal it.
type item struct {
	message           *domain.Message
	id                string // what the store knows the message's id by
	user, phone       alias
	newUser, newPhone alias // of a System message
	data              []byte
}

func (s *Store) item(m *domain.Message) (item, error) {
	change, _ := m.Content.(domain.System)
	it := item{
		message: m, id: s.messageName(m.ID),
		user: s.userAlias(m.Number, m.From.UserID), phone: s.phoneAlias(m.Number, m.From.Phone),
		newUser: s.userAlias(m.Number, change.NewUser), newPhone: s.phoneAlias(m.Number, change.NewPhone),
	}
	var err error
	it.data, err = s.sealer.EncodeMessage(*m, it.id)
	return it, err
}

// namedMark begins a keyed hash. No user id, phone number or wamid begins with it, so
// that plain names and hashes are told apart when a file is sealed.
const namedMark = "#"

// name is what the file holds in place of a name that leads to a person: a keyed hash,
// or the name itself when the file is not sealed.
func (s *Store) name(kind, value string) string {
	if value == "" || !s.names.Keyed() {
		return value
	}
	return namedMark + s.names.Of(kind, value)
}

func (s *Store) userName(id domain.UserID) string       { return s.name("user", string(id)) }
func (s *Store) phoneName(p domain.Phone) string        { return s.name("phone", string(p)) }
func (s *Store) messageName(id domain.MessageID) string { return s.name("id", string(id)) }

func (s *Store) userAlias(number domain.NumberID, id domain.UserID) alias {
	return alias{number, byUser, s.userName(id)}
}

func (s *Store) phoneAlias(number domain.NumberID, p domain.Phone) alias {
	return alias{number, byPhone, s.phoneName(p)}
}
