package record

import "whatsappnode/domain"

// What stores write and read: the records of this package, sealed for their place.

// EncodeMessage writes a message; name is what the store knows the message's id by.
func (s *Sealer) EncodeMessage(m domain.Message, name string) ([]byte, error) {
	data, err := EncodeMessage(m)
	if err != nil {
		return nil, err
	}
	return s.Seal(data, KindMessage, name), nil
}

// DecodeMessage reads what EncodeMessage wrote under the same name.
func (s *Sealer) DecodeMessage(data []byte, name string) (domain.Message, error) {
	return opened(s, data, KindMessage, name, DecodeMessage)
}

// EncodeTurn writes a turn.
func (s *Sealer) EncodeTurn(t domain.Turn) ([]byte, error) {
	data, err := EncodeTurn(t)
	if err != nil {
		return nil, err
	}
	return s.Seal(data, KindTurn, string(t.ID())), nil
}

// DecodeTurn reads the turn that is stored under id.
func (s *Sealer) DecodeTurn(data []byte, id domain.TurnID) (domain.Turn, error) {
	return opened(s, data, KindTurn, string(id), DecodeTurn)
}

// EncodeConversation writes a conversation.
func (s *Sealer) EncodeConversation(c domain.Conversation) ([]byte, error) {
	data, err := EncodeConversation(c)
	if err != nil {
		return nil, err
	}
	return s.Seal(data, KindConversation, string(c.ID())), nil
}

// DecodeConversation reads the conversation that is stored under id.
func (s *Sealer) DecodeConversation(data []byte, id domain.ConversationID) (domain.Conversation, error) {
	return opened(s, data, KindConversation, string(id), DecodeConversation)
}

// EncodeStatus writes a status as a fact about a turn.
func (s *Sealer) EncodeStatus(st domain.Status, turn domain.TurnID) ([]byte, error) {
	data, err := EncodeStatus(st)
	if err != nil {
		return nil, err
	}
	return s.Seal(data, KindFact, string(turn)), nil
}

// DecodeStatus reads a fact about a turn.
func (s *Sealer) DecodeStatus(data []byte, turn domain.TurnID) (domain.Status, error) {
	return opened(s, data, KindFact, string(turn), DecodeStatus)
}

func opened[T any](s *Sealer, data []byte, kind Kind, id string, decode func([]byte) (T, error)) (T, error) {
	plain, err := s.Open(data, kind, id)
	if err != nil {
		var none T
		return none, err
	}
	return decode(plain)
}
