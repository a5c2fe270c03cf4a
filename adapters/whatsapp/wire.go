package whatsapp

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// flexInt is a whole number that Meta sends as a number here and as a string
// there: timestamps, file sizes, codes. It never fails to decode; Valid says
// whether a number was there.
type flexInt struct {
	N     int64
	Valid bool
}

// UnmarshalJSONFrom serves the reader of webhooks, UnmarshalJSON that of Graph's
// answers.
func (f *flexInt) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	b, err := dec.ReadValue()
	_ = f.UnmarshalJSON(b) // never fails
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *flexInt) UnmarshalJSON(b []byte) error {
	*f = flexInt{}
	if n, err := strconv.ParseInt(number(b), 10, 64); err == nil {
		*f = flexInt{N: n, Valid: true}
	}
	return nil
}

// number is what may be a number: a value as it is, or the inside of a string. Digits
// are written without escapes.
func number(b []byte) string {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	return string(b)
}

// flexFloat is flexInt with a fraction: coordinates and prices.
type flexFloat struct {
	N     float64
	Valid bool
}

// UnmarshalJSONFrom serves the reader of webhooks.
func (f *flexFloat) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*f = flexFloat{}
	b, err := dec.ReadValue()
	if n, wrong := strconv.ParseFloat(number(b), 64); wrong == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		*f = flexFloat{N: n, Valid: true}
	}
	return err
}

// The types below are the webhook as Meta sends it (Meta, "Messages webhooks
// reference"), reduced to what is used. Fields are not required here: what a
// message needs is judged when it is read.

type wireEnvelope struct {
	Object string      `json:"object"`
	Entry  []wireEntry `json:"entry"`
}

type wireEntry struct {
	Changes []wireChange `json:"changes"`
	bad     bool
}

type wireChange struct {
	Value wireValue `json:"value"`
	Field string    `json:"field"`
	bad   bool
}

type wireValue struct {
	Metadata struct {
		NumberID string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []wireContact `json:"contacts"`
	Messages []wireMessage `json:"messages"`
	Statuses []wireStatus  `json:"statuses"`
	Errors   []wireError   `json:"errors"`
	Echoes   []wireEcho    `json:"message_echoes"`
}

type wireContact struct {
	Profile struct {
		Name string `json:"name"`
	} `json:"profile"`
	WaID   string `json:"wa_id"`
	UserID string `json:"user_id"`
}

type wireError struct {
	Code flexInt `json:"code"`
	bad  bool
}

type wireMessage struct {
	ID         string  `json:"id"`
	From       string  `json:"from"`
	FromUserID string  `json:"from_user_id"`
	GroupID    string  `json:"group_id"`
	Timestamp  flexInt `json:"timestamp"`
	Context    struct {
		ID                  string `json:"id"`
		Forwarded           bool   `json:"forwarded"`
		FrequentlyForwarded bool   `json:"frequently_forwarded"`
	} `json:"context"`
	wireContent
	bad bool
}

// wireEcho is what the business wrote to somebody (Meta, "smb_message_echoes webhook
// reference"). to_user_id is read by analogy with from_user_id.
type wireEcho struct {
	ID        string  `json:"id"`
	To        string  `json:"to"`
	ToUserID  string  `json:"to_user_id"`
	GroupID   string  `json:"group_id"`
	Timestamp flexInt `json:"timestamp"`
	wireContent
	bad bool
}

// wireContent is the part of a message that an edit carries too.
type wireContent struct {
	Type string `json:"type"`
	Text *struct {
		Body string `json:"body"`
	} `json:"text"`
	Audio       *wireMedia       `json:"audio"`
	Voice       *wireMedia       `json:"voice"`
	Image       *wireMedia       `json:"image"`
	Video       *wireMedia       `json:"video"`
	Document    *wireMedia       `json:"document"`
	Sticker     *wireMedia       `json:"sticker"`
	Location    *wireLocation    `json:"location"`
	Contacts    []wireCard       `json:"contacts"`
	Interactive *wireInteractive `json:"interactive"`
	Button      *struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	} `json:"button"`
	Reaction *struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	} `json:"reaction"`
	Order  *wireOrder `json:"order"`
	System *struct {
		Type   string `json:"type"`
		WaID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	} `json:"system"`
	Unsupported *struct {
		Type string `json:"type"`
	} `json:"unsupported"`
	Errors []wireError `json:"errors"`
	Edit   *struct {
		Target  string         `json:"original_message_id"`
		Message jsontext.Value `json:"message"`
	} `json:"edit"`
	Revoke *struct {
		Target string `json:"original_message_id"`
	} `json:"revoke"`
}

type wireMedia struct {
	ID       string `json:"id"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	URL      string `json:"url"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	Voice    bool   `json:"voice"`
	Animated bool   `json:"animated"`
}

type wireLocation struct {
	Latitude  flexFloat `json:"latitude"`
	Longitude flexFloat `json:"longitude"`
	Name      string    `json:"name"`
	Address   string    `json:"address"`
}

type wireCard struct {
	Name struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
	} `json:"name"`
}

type wireInteractive struct {
	Type   string `json:"type"`
	Button *struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"button_reply"`
	List *struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"list_reply"`
	Flow *struct {
		Name     string `json:"name"`
		Body     string `json:"body"`
		Response string `json:"response_json"`
	} `json:"nfm_reply"`
}

type wireOrder struct {
	Catalog string `json:"catalog_id"`
	Text    string `json:"text"`
	Items   []struct {
		ProductID string    `json:"product_retailer_id"`
		Quantity  flexInt   `json:"quantity"`
		Price     flexFloat `json:"item_price"`
		Currency  string    `json:"currency"`
	} `json:"product_items"`
}

type wireStatus struct {
	ID            string      `json:"id"`
	Status        string      `json:"status"`
	Timestamp     flexInt     `json:"timestamp"`
	Recipient     string      `json:"recipient_id"`
	RecipientUser string      `json:"recipient_user_id"`
	RecipientType string      `json:"recipient_type"`
	Participant   string      `json:"recipient_participant_id"`
	Callback      string      `json:"biz_opaque_callback_data"`
	Errors        []wireError `json:"errors"`
	Pricing       *struct {
		Billable bool   `json:"billable"`
		Model    string `json:"pricing_model"`
		Type     string `json:"type"`
		Category string `json:"category"`
	} `json:"pricing"`
	bad bool
}
