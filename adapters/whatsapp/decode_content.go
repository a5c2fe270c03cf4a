package whatsapp

import (
	"encoding/hex"

	"whatsappnode/domain"
)

// contentOf reads what a message holds. It returns nil when a part that the type
// needs is missing, and known false with domain.Unsupported for a type that is not
// in Meta's list as of this program.
func contentOf(w *wireContent, number domain.NumberID) (c domain.Content, known bool) {
	if code := errorCode(w.Errors); code != 0 || w.Type == "unsupported" || w.Type == "unknown" {
		return unsupported(w, code), true
	}
	switch w.Type {
	case "":
		return nil, true
	case "text", "button", "interactive":
		return written(w)
	case "audio", "voice", "image", "video", "document", "sticker":
		return mediaContent(w, number), true
	case "location", "contacts", "order":
		return shared(w), true
	case "reaction", "system", "request_welcome", "edit", "revoke":
		return event(w, number), true
	}
	return domain.Unsupported{Type: w.Type}, false
}

// unsupported is a message that Meta could not show or whose media it could not
// fetch: the type is named inside, or is the message's own.
func unsupported(w *wireContent, code int) domain.Content {
	t := w.Type
	if w.Unsupported != nil && w.Unsupported.Type != "" {
		t = w.Unsupported.Type
	}
	return domain.Unsupported{Type: t, Code: code}
}

func written(w *wireContent) (domain.Content, bool) {
	switch {
	case w.Type == "text" && w.Text != nil:
		return domain.Text{Body: w.Text.Body}, true
	case w.Type == "button" && w.Button != nil:
		return domain.ButtonReply{ID: w.Button.Payload, Title: w.Button.Text}, true
	case w.Type == "interactive" && w.Interactive != nil:
		switch i := w.Interactive; {
		case i.Button != nil:
			return domain.ButtonReply{ID: i.Button.ID, Title: i.Button.Title}, true
		case i.List != nil:
			return domain.ListReply{ID: i.List.ID, Title: i.List.Title, Description: i.List.Description}, true
		case i.Flow != nil:
			return domain.FlowReply{Name: i.Flow.Name, Body: i.Flow.Body, Response: i.Flow.Response}, true
		case i.Type != "" && i.Type != "button_reply" && i.Type != "list_reply" && i.Type != "nfm_reply":
			return domain.Unsupported{Type: i.Type}, false
		}
	}
	return nil, true
}

func mediaContent(w *wireContent, number domain.NumberID) domain.Content {
	var m *wireMedia
	switch w.Type {
	case "audio":
		m = w.Audio
	case "voice": // what older payloads call a recorded note
		if m = w.Voice; m == nil {
			m = w.Audio
		}
	case "image":
		m = w.Image
	case "video":
		m = w.Video
	case "document":
		m = w.Document
	case "sticker":
		m = w.Sticker
	}
	if m == nil || m.ID == "" {
		return nil
	}
	ref := domain.MediaRef{ID: domain.MediaID(m.ID), Number: number, MIME: m.MIME, URL: m.URL}
	if sum, ok := parseSHA256(m.SHA256); ok {
		ref.SHA256 = hex.EncodeToString(sum[:])
	}
	switch w.Type {
	case "image":
		return domain.Image{Media: ref, Caption: m.Caption}
	case "video":
		return domain.Video{Media: ref, Caption: m.Caption}
	case "document":
		return domain.Document{Media: ref, Filename: m.Filename, Caption: m.Caption}
	case "sticker":
		return domain.Sticker{Media: ref, Animated: m.Animated}
	}
	return domain.Voice{Media: ref, Note: m.Voice || w.Type == "voice"}
}

func shared(w *wireContent) domain.Content {
	switch {
	case w.Type == "location" && w.Location != nil && w.Location.Latitude.Valid && w.Location.Longitude.Valid:
		l := w.Location
		return domain.Location{Latitude: l.Latitude.N, Longitude: l.Longitude.N, Name: l.Name, Address: l.Address}
	case w.Type == "contacts" && len(w.Contacts) > 0:
		names := make([]string, 0, len(w.Contacts))
		for _, card := range w.Contacts {
			if name := firstOf(card.Name.Formatted, card.Name.First); name != "" {
				names = append(names, name)
			}
		}
		return domain.Contacts{Names: names}
	case w.Type == "order" && w.Order != nil:
		o := domain.Order{Catalog: w.Order.Catalog, Note: w.Order.Text}
		for _, item := range w.Order.Items {
			o.Items = append(o.Items, domain.OrderItem{
				ProductID: item.ProductID, Quantity: int(item.Quantity.N), Price: item.Price.N, Currency: item.Currency,
			})
		}
		return o
	}
	return nil
}

func event(w *wireContent, number domain.NumberID) domain.Content {
	switch {
	case w.Type == "request_welcome":
		return domain.RequestWelcome{}
	case w.Type == "reaction" && w.Reaction != nil && w.Reaction.MessageID != "":
		// A removal leaves the emoji out, or sends it empty: both are empty here.
		return domain.Reaction{Target: domain.MessageID(w.Reaction.MessageID), Emoji: w.Reaction.Emoji}
	case w.Type == "system" && w.System != nil:
		return domain.System{Event: w.System.Type, NewPhone: phone(w.System.WaID), NewUser: domain.UserID(w.System.UserID)}
	case w.Type == "revoke" && w.Revoke != nil && w.Revoke.Target != "":
		return domain.Revoke{Target: domain.MessageID(w.Revoke.Target)}
	case w.Type == "edit" && w.Edit != nil && w.Edit.Target != "":
		e := domain.Edit{Target: domain.MessageID(w.Edit.Target)}
		var inner wireContent
		// An edit of an edit is none, so that nesting ends here.
		if unmarshal(w.Edit.Message, &inner) == nil && inner.Type != "edit" {
			e.Content, _ = contentOf(&inner, number)
		}
		return e
	}
	return nil
}
