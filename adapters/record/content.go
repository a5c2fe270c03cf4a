package record

import (
	"encoding/json"
	"fmt"

	"whatsappnode/domain"
)

// maxEditDepth bounds edits of edits. WhatsApp knows one level; a bound keeps a
// hostile record from growing the stack.
const maxEditDepth = 4

// The stored forms. Where the domain type is flat, the stored one has the same
// fields in the same order, so the compiler checks the conversion.
type (
	media struct {
		ID     domain.MediaID  `json:"i,omitempty"`
		Number domain.NumberID `json:"n,omitempty"`
		MIME   string          `json:"m,omitempty"`
		SHA256 string          `json:"s,omitempty"`
		URL    string          `json:"u,omitempty"`
	}
	text struct {
		Body string `json:"b"`
	}
	voice struct {
		Media media `json:"m"`
		Note  bool  `json:"n,omitempty"`
	}
	captioned struct {
		Media   media  `json:"m"`
		Caption string `json:"c,omitempty"`
	}
	document struct {
		Media    media  `json:"m"`
		Filename string `json:"f,omitempty"`
		Caption  string `json:"c,omitempty"`
	}
	sticker struct {
		Media    media `json:"m"`
		Animated bool  `json:"a,omitempty"`
	}
	location struct {
		Latitude  float64 `json:"la"`
		Longitude float64 `json:"lo"`
		Name      string  `json:"n,omitempty"`
		Address   string  `json:"a,omitempty"`
	}
	contacts struct {
		Names []string `json:"n,omitempty"`
	}
	buttonReply struct {
		ID    string `json:"i,omitempty"`
		Title string `json:"t,omitempty"`
	}
	listReply struct {
		ID          string `json:"i,omitempty"`
		Title       string `json:"t,omitempty"`
		Description string `json:"d,omitempty"`
	}
	flowReply struct {
		Name     string `json:"n,omitempty"`
		Body     string `json:"b,omitempty"`
		Response string `json:"r,omitempty"`
	}
	reaction struct {
		Target domain.MessageID `json:"t,omitempty"`
		Emoji  string           `json:"e,omitempty"`
	}
	orderItem struct {
		ProductID string  `json:"p,omitempty"`
		Quantity  int     `json:"q,omitempty"`
		Price     float64 `json:"x,omitempty"`
		Currency  string  `json:"c,omitempty"`
	}
	order struct {
		Catalog string      `json:"c,omitempty"`
		Note    string      `json:"n,omitempty"`
		Items   []orderItem `json:"i,omitempty"`
	}
	system struct {
		Event    string        `json:"e,omitempty"`
		NewPhone domain.Phone  `json:"p,omitempty"`
		NewUser  domain.UserID `json:"u,omitempty"`
	}
	requestWelcome struct{}
	edit           struct {
		Target  domain.MessageID   `json:"t,omitempty"`
		Kind    domain.ContentKind `json:"k,omitempty"`
		Content json.RawMessage    `json:"c,omitempty"`
	}
	revoke struct {
		Target domain.MessageID `json:"t,omitempty"`
	}
	echo struct {
		Kind    domain.ContentKind `json:"k,omitempty"`
		Content json.RawMessage    `json:"c,omitempty"`
	}
	unsupported struct {
		Type string `json:"t,omitempty"`
		Code int    `json:"c,omitempty"`
	}
)

// encodeContent returns the kind and the stored form of a content. The switch
// names every sealed type; the test of this package walks all kinds.
func encodeContent(c domain.Content, depth int) (domain.ContentKind, json.RawMessage, error) {
	var v any
	switch c := c.(type) {
	case domain.Text:
		v = text(c)
	case domain.Voice:
		v = voice{Media: media(c.Media), Note: c.Note}
	case domain.Image:
		v = captioned{Media: media(c.Media), Caption: c.Caption}
	case domain.Video:
		v = captioned{Media: media(c.Media), Caption: c.Caption}
	case domain.Document:
		v = document{Media: media(c.Media), Filename: c.Filename, Caption: c.Caption}
	case domain.Sticker:
		v = sticker{Media: media(c.Media), Animated: c.Animated}
	case domain.Location:
		v = location(c)
	case domain.Contacts:
		v = contacts(c)
	case domain.ButtonReply:
		v = buttonReply(c)
	case domain.ListReply:
		v = listReply(c)
	case domain.FlowReply:
		v = flowReply(c)
	case domain.Reaction:
		v = reaction(c)
	case domain.Order:
		o := order{Catalog: c.Catalog, Note: c.Note}
		for _, item := range c.Items {
			o.Items = append(o.Items, orderItem(item))
		}
		v = o
	case domain.System:
		v = system(c)
	case domain.RequestWelcome:
		v = requestWelcome(c)
	case domain.Edit:
		if depth >= maxEditDepth {
			return "", nil, fmt.Errorf("%w: edits are nested too deep", ErrMalformed)
		}
		e := edit{Target: c.Target}
		if c.Content != nil {
			var err error
			if e.Kind, e.Content, err = encodeContent(c.Content, depth+1); err != nil {
				return "", nil, err
			}
		}
		v = e
	case domain.Revoke:
		v = revoke(c)
	case domain.Unsupported:
		v = unsupported(c)
	case domain.Echo:
		if depth >= maxEditDepth {
			return "", nil, fmt.Errorf("%w: echoes are nested too deep", ErrMalformed)
		}
		var e echo
		if c.Content != nil {
			var err error
			if e.Kind, e.Content, err = encodeContent(c.Content, depth+1); err != nil {
				return "", nil, err
			}
		}
		v = e
	default:
		return "", nil, ErrUnknownKind
	}
	data, err := marshal(string(c.Kind())+" content", v)
	return c.Kind(), data, err
}

func decodeContent(kind domain.ContentKind, data json.RawMessage, depth int) (domain.Content, error) {
	switch kind {
	case domain.KindText:
		return flat(data, func(v text) domain.Content { return domain.Text(v) })
	case domain.KindVoice:
		return flat(data, func(v voice) domain.Content {
			return domain.Voice{Media: domain.MediaRef(v.Media), Note: v.Note}
		})
	case domain.KindImage:
		return flat(data, func(v captioned) domain.Content {
			return domain.Image{Media: domain.MediaRef(v.Media), Caption: v.Caption}
		})
	case domain.KindVideo:
		return flat(data, func(v captioned) domain.Content {
			return domain.Video{Media: domain.MediaRef(v.Media), Caption: v.Caption}
		})
	case domain.KindDocument:
		return flat(data, func(v document) domain.Content {
			return domain.Document{Media: domain.MediaRef(v.Media), Filename: v.Filename, Caption: v.Caption}
		})
	case domain.KindSticker:
		return flat(data, func(v sticker) domain.Content {
			return domain.Sticker{Media: domain.MediaRef(v.Media), Animated: v.Animated}
		})
	case domain.KindLocation:
		return flat(data, func(v location) domain.Content { return domain.Location(v) })
	case domain.KindContacts:
		return flat(data, func(v contacts) domain.Content {
			return domain.Contacts{Names: append([]string(nil), v.Names...)} // none are nil, as they are written
		})
	case domain.KindButtonReply:
		return flat(data, func(v buttonReply) domain.Content { return domain.ButtonReply(v) })
	case domain.KindListReply:
		return flat(data, func(v listReply) domain.Content { return domain.ListReply(v) })
	case domain.KindFlowReply:
		return flat(data, func(v flowReply) domain.Content { return domain.FlowReply(v) })
	case domain.KindReaction:
		return flat(data, func(v reaction) domain.Content { return domain.Reaction(v) })
	case domain.KindOrder:
		return flat(data, func(v order) domain.Content {
			o := domain.Order{Catalog: v.Catalog, Note: v.Note}
			for _, item := range v.Items {
				o.Items = append(o.Items, domain.OrderItem(item))
			}
			return o
		})
	case domain.KindSystem:
		return flat(data, func(v system) domain.Content { return domain.System(v) })
	case domain.KindRequestWelcome:
		return flat(data, func(v requestWelcome) domain.Content { return domain.RequestWelcome(v) })
	case domain.KindEdit:
		return decodeEdit(data, depth)
	case domain.KindRevoke:
		return flat(data, func(v revoke) domain.Content { return domain.Revoke(v) })
	case domain.KindEcho:
		return decodeEcho(data, depth)
	case domain.KindUnsupported:
		return flat(data, func(v unsupported) domain.Content { return domain.Unsupported(v) })
	}
	return nil, ErrUnknownKind
}

func decodeEdit(data json.RawMessage, depth int) (domain.Content, error) {
	var v edit
	if depth >= maxEditDepth || json.Unmarshal(data, &v) != nil {
		return nil, ErrMalformed
	}
	if v.Kind == "" {
		return domain.Edit{Target: v.Target}, nil
	}
	inner, err := decodeContent(v.Kind, v.Content, depth+1)
	if err != nil {
		return nil, err
	}
	return domain.Edit{Target: v.Target, Content: inner}, nil
}

func decodeEcho(data json.RawMessage, depth int) (domain.Content, error) {
	var v echo
	if depth >= maxEditDepth || json.Unmarshal(data, &v) != nil {
		return nil, ErrMalformed
	}
	if v.Kind == "" {
		return domain.Echo{}, nil
	}
	inner, err := decodeContent(v.Kind, v.Content, depth+1)
	if err != nil {
		return nil, err
	}
	return domain.Echo{Content: inner}, nil
}

func flat[S any](data json.RawMessage, restore func(S) domain.Content) (domain.Content, error) {
	var v S
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, ErrMalformed
	}
	return restore(v), nil
}
