package whatsapp

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// flexInt is a whole number that Meta sends as a number here and as a string
// there: timestamps, file sizes, codes. It never fails to decode; Valid says
// whether a number was there.
type flexInt struct {
	N     int64
	Valid bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *flexInt) UnmarshalJSON(b []byte) error {
	*f = flexInt{}
	b = bytes.TrimSpace(b)
	if len(b) > 1 && b[0] == '"' {
		var s string
		if json.Unmarshal(b, &s) != nil {
			return nil
		}
		b = []byte(s)
	}
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		*f = flexInt{N: n, Valid: true}
	}
	return nil
}

// flexFloat is flexInt with a fraction: coordinates and prices.
type flexFloat struct {
	N     float64
	Valid bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *flexFloat) UnmarshalJSON(b []byte) error {
	*f = flexFloat{}
	s := strings.Trim(string(bytes.TrimSpace(b)), `"`)
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		*f = flexFloat{N: n, Valid: true}
	}
	return nil
}

// The types below are the webhook as Meta sends it (Meta, "Messages webhooks
// reference"), reduced to what is used. Fields are not required here: what a
// message needs is judged when it is read.

type wireEnvelope struct {
	Object string
	Entry  []wireEntry
}

type wireEntry struct {
	Changes []wireChange
	bad     bool
}

type wireChange struct {
	Value wireValue
	Field string
	bad   bool
}

type wireValue struct {
	Metadata struct {
		NumberID string `json:"phone_number_id"`
	}
	Contacts []wireContact
	Messages []wireMessage
	Statuses []wireStatus
	Errors   []wireError
	Echoes   []json.RawMessage `json:"message_echoes"`
}

type wireContact struct {
	Profile struct{ Name string }
	WaID    string `json:"wa_id"`
	UserID  string `json:"user_id"`
}

type wireError struct {
	Code flexInt
	bad  bool
}

type wireMessage struct {
	ID         string
	From       string
	FromUserID string `json:"from_user_id"`
	GroupID    string `json:"group_id"`
	Timestamp  flexInt
	Context    struct {
		ID                  string
		Forwarded           bool
		FrequentlyForwarded bool `json:"frequently_forwarded"`
	}
	wireContent
	bad bool
}

// wireContent is the part of a message that an edit carries too.
type wireContent struct {
	Type        string
	Text        *struct{ Body string }
	Audio       *wireMedia
	Voice       *wireMedia
	Image       *wireMedia
	Video       *wireMedia
	Document    *wireMedia
	Sticker     *wireMedia
	Location    *wireLocation
	Contacts    []wireCard
	Interactive *wireInteractive
	Button      *struct{ Payload, Text string }
	Reaction    *struct {
		MessageID string `json:"message_id"`
		Emoji     string
	}
	Order  *wireOrder
	System *struct {
		Type   string
		WaID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	}
	Unsupported *struct{ Type string }
	Errors      []wireError
	Edit        *struct {
		Target  string          `json:"original_message_id"`
		Message json.RawMessage `json:"message"`
	}
	Revoke *struct {
		Target string `json:"original_message_id"`
	}
}

type wireMedia struct {
	ID       string
	MIME     string `json:"mime_type"`
	SHA256   string
	URL      string
	Caption  string
	Filename string
	Voice    bool
	Animated bool
}

type wireLocation struct {
	Latitude, Longitude flexFloat
	Name, Address       string
}

type wireCard struct {
	Name struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
	}
}

type wireInteractive struct {
	Type   string
	Button *struct{ ID, Title string }              `json:"button_reply"`
	List   *struct{ ID, Title, Description string } `json:"list_reply"`
	Flow   *struct {
		Name, Body string
		Response   string `json:"response_json"`
	} `json:"nfm_reply"`
}

type wireOrder struct {
	Catalog string `json:"catalog_id"`
	Text    string
	Items   []struct {
		ProductID string    `json:"product_retailer_id"`
		Quantity  flexInt   `json:"quantity"`
		Price     flexFloat `json:"item_price"`
		Currency  string
	} `json:"product_items"`
}

type wireStatus struct {
	ID            string
	Status        string
	Timestamp     flexInt
	Recipient     string `json:"recipient_id"`
	RecipientUser string `json:"recipient_user_id"`
	RecipientType string `json:"recipient_type"`
	Participant   string `json:"recipient_participant_id"`
	Callback      string `json:"biz_opaque_callback_data"`
	Errors        []wireError
	Pricing       *struct {
		Billable bool
		Model    string `json:"pricing_model"`
		Type     string
		Category string
	}
	bad bool
}
