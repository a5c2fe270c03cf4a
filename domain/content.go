package domain

// Content is what a message holds. The set is closed: every implementation is
// in this file, so a type switch over it can be complete.
type Content interface {
	// Kind is a stable lower-case name, used in records, logs and metrics.
	Kind() ContentKind
	sealed()
}

// ContentKind names a content type.
type ContentKind string

// The content kinds.
const (
	KindText           ContentKind = "text"
	KindVoice          ContentKind = "voice"
	KindImage          ContentKind = "image"
	KindVideo          ContentKind = "video"
	KindDocument       ContentKind = "document"
	KindSticker        ContentKind = "sticker"
	KindLocation       ContentKind = "location"
	KindContacts       ContentKind = "contacts"
	KindButtonReply    ContentKind = "button_reply"
	KindListReply      ContentKind = "list_reply"
	KindFlowReply      ContentKind = "flow_reply"
	KindReaction       ContentKind = "reaction"
	KindOrder          ContentKind = "order"
	KindSystem         ContentKind = "system"
	KindRequestWelcome ContentKind = "request_welcome"
	KindEdit           ContentKind = "edit"
	KindRevoke         ContentKind = "revoke"
	KindUnsupported    ContentKind = "unsupported"
	KindEcho           ContentKind = "echo"
)

// MediaRef points to a media object at Meta. Webhook media ids live 7 days, URLs
// 5 minutes (Meta, "Media").
type MediaRef struct {
	ID     MediaID
	Number NumberID
	MIME   string
	// SHA256 is lower-case hex, or empty when Meta did not say.
	SHA256 string
	// URL is a short-lived download address, or empty.
	URL string
}

// The content types.
type (
	// Text is a written message.
	Text struct{ Body string }
	// Voice is audio: a note recorded in the app (Note true) or an audio file.
	Voice struct {
		Media MediaRef
		Note  bool
	}
	// Image is a picture, perhaps with a caption.
	Image struct {
		Media   MediaRef
		Caption string
	}
	// Video is a film, perhaps with a caption.
	Video struct {
		Media   MediaRef
		Caption string
	}
	// Document is a file of any type.
	Document struct {
		Media    MediaRef
		Filename string
		Caption  string
	}
	// Sticker is a sticker.
	Sticker struct {
		Media    MediaRef
		Animated bool
	}
	// Location is a place; Name and Address are absent for a current position.
	Location struct {
		Latitude, Longitude float64
		Name, Address       string
	}
	// Contacts are shared address cards; only the names are kept.
	Contacts struct{ Names []string }
	// ButtonReply is a pressed reply button of an interactive message or template.
	ButtonReply struct{ ID, Title string }
	// ListReply is a chosen list row.
	ListReply struct{ ID, Title, Description string }
	// FlowReply is a completed form; Response is the JSON text the form sent.
	FlowReply struct{ Name, Body, Response string }
	// Reaction is an emoji put on a message, or taken off it (Emoji empty).
	Reaction struct {
		Target MessageID
		Emoji  string
	}
	// Order is a shopping basket.
	Order struct {
		Catalog, Note string
		Items         []OrderItem
	}
	// System tells of a change at the user, such as a new phone number.
	System struct {
		Event    string // "user_changed_number", "user_changed_user_id", ...
		NewPhone Phone
		NewUser  UserID
	}
	// RequestWelcome says that the user opened the chat for the first time.
	RequestWelcome struct{}
	// Edit replaces the content of an earlier message.
	Edit struct {
		Target  MessageID
		Content Content // nil when the new content could not be read
	}
	// Revoke withdraws an earlier message.
	Revoke struct{ Target MessageID }
	// Unsupported is what Meta, or we, cannot show: Type is Meta's name of it, and
	// Code its error code (131051 unknown type, 131052 media not downloadable,
	// 131060 unavailable), 0 when there is none.
	Unsupported struct {
		Type string
		Code int
	}
	// Echo is what somebody of the business wrote to the person from another device or
	// program. Message.From is the person all the same: whose conversation it is in.
	Echo struct {
		Content Content // nil when it could not be read
	}
)

// OrderItem is one line of an order. Price is in major units of Currency.
type OrderItem struct {
	ProductID string
	Quantity  int
	Price     float64
	Currency  string
}

func (Text) Kind() ContentKind           { return KindText }
func (Voice) Kind() ContentKind          { return KindVoice }
func (Image) Kind() ContentKind          { return KindImage }
func (Video) Kind() ContentKind          { return KindVideo }
func (Document) Kind() ContentKind       { return KindDocument }
func (Sticker) Kind() ContentKind        { return KindSticker }
func (Location) Kind() ContentKind       { return KindLocation }
func (Contacts) Kind() ContentKind       { return KindContacts }
func (ButtonReply) Kind() ContentKind    { return KindButtonReply }
func (ListReply) Kind() ContentKind      { return KindListReply }
func (FlowReply) Kind() ContentKind      { return KindFlowReply }
func (Reaction) Kind() ContentKind       { return KindReaction }
func (Order) Kind() ContentKind          { return KindOrder }
func (System) Kind() ContentKind         { return KindSystem }
func (RequestWelcome) Kind() ContentKind { return KindRequestWelcome }
func (Edit) Kind() ContentKind           { return KindEdit }
func (Revoke) Kind() ContentKind         { return KindRevoke }
func (Unsupported) Kind() ContentKind    { return KindUnsupported }
func (Echo) Kind() ContentKind           { return KindEcho }

func (Text) sealed()           {}
func (Voice) sealed()          {}
func (Image) sealed()          {}
func (Video) sealed()          {}
func (Document) sealed()       {}
func (Sticker) sealed()        {}
func (Location) sealed()       {}
func (Contacts) sealed()       {}
func (ButtonReply) sealed()    {}
func (ListReply) sealed()      {}
func (FlowReply) sealed()      {}
func (Reaction) sealed()       {}
func (Order) sealed()          {}
func (System) sealed()         {}
func (RequestWelcome) sealed() {}
func (Edit) sealed()           {}
func (Revoke) sealed()         {}
func (Unsupported) sealed()    {}
func (Echo) sealed()           {}

// StartsTurn reports whether content asks for an answer. Reactions, system
// events, edits, withdrawals, the opening of a chat and what the business itself wrote
// do not.
func StartsTurn(c Content) bool {
	switch c.(type) {
	case Reaction, System, RequestWelcome, Edit, Revoke, Echo:
		return false
	case nil:
		return false
	}
	return true
}
