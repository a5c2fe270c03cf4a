package simulator

import "strings"

// Content is a message in Meta's inbound shape without what the simulator fills in. Values are immutable: the methods that
// add something return a new one.
type Content struct{ fields object }

// MarshalJSON writes the object in the order it was built.
func (c Content) MarshalJSON() ([]byte, error) { return c.fields.MarshalJSON() }

func content(kind string, body any) Content { return Content{obj("type", kind, kind, body)} }

func (c Content) with(key string, val any) Content {
	fields := append(object{}, c.fields...)
	fields.set(key, val)
	return Content{fields}
}

// ReplyTo quotes a message.
func (c Content) ReplyTo(id string) Content { return c.with("context", obj("id", id)) }

// Forwarded marks the message as forwarded, five times or fewer; FrequentlyForwarded as more often.
func (c Content) Forwarded() Content { return c.with("context", obj("forwarded", true)) }

// FrequentlyForwarded marks the message as forwarded more than five times.
func (c Content) FrequentlyForwarded() Content {
	return c.with("context", obj("frequently_forwarded", true))
}

// AboutProduct makes the message a question about a product of the catalog.
func (c Content) AboutProduct(catalog, product string) Content {
	return c.with("context", obj("referred_product", obj("catalog_id", catalog, "product_retailer_id", product)))
}

// WithID forces the wamid.
func (c Content) WithID(id string) Content { return c.with("id", id) }

// Referral is where the user came from: an advertisement that opens WhatsApp.
type Referral struct {
	SourceURL  string `json:"source_url"`
	SourceID   string `json:"source_id"`
	SourceType string `json:"source_type"` // ad or post
	Body       string `json:"body"`
	Headline   string `json:"headline"`
	MediaType  string `json:"media_type,omitempty"`
	ImageURL   string `json:"image_url,omitempty"`
	ClickID    string `json:"ctwa_clid,omitempty"`
}

// From adds a referral.
func (c Content) From(r Referral) Content { return c.with("referral", r) }

// Text is a text message.
func Text(body string) Content { return content("text", obj("body", body)) }

// Location is a place; name and address may be empty, as for a current location.
func Location(latitude, longitude float64, name, address string) Content {
	body := obj("latitude", latitude, "longitude", longitude)
	if name != "" {
		body.set("name", name)
	}
	if address != "" {
		body.set("address", address)
	}
	return content("location", body)
}

// Contacts is a shared contact card.
func Contacts(name, phone string) Content {
	return content("contacts", []object{obj("name", obj("formatted_name", name, "first_name", strings.SplitN(name, " ", 2)[0]),
		"phones", []object{obj("phone", "+"+phone, "wa_id", phone, "type", "CELL")}, "origin", "other")})
}

// ButtonReply is a tap on a reply button of the message it answers.
func ButtonReply(answers, id, title string) Content {
	return content("interactive", obj("type", "button_reply", "button_reply", obj("id", id, "title", title))).ReplyTo(answers)
}

// ListReply is a choice from a list; description may be empty.
func ListReply(answers, id, title, description string) Content {
	reply := obj("id", id, "title", title)
	if description != "" {
		reply.set("description", description)
	}
	return content("interactive", obj("type", "list_reply", "list_reply", reply)).ReplyTo(answers)
}

// FlowReply is a finished flow; responseJSON is a JSON text.
func FlowReply(answers, responseJSON string) Content {
	return content("interactive", obj("type", "nfm_reply", "nfm_reply",
		obj("response_json", responseJSON, "body", "Sent", "name", "flow"))).ReplyTo(answers)
}

// Button is a tap on a quick-reply button of a template.
func Button(answers, payload, text string) Content {
	return content("button", obj("payload", payload, "text", text)).ReplyTo(answers)
}

// Reaction puts an emoji on a message.
func Reaction(message, emoji string) Content {
	return content("reaction", obj("message_id", message, "emoji", emoji))
}

// ReactionRemoved takes the emoji away. Meta's text says the emoji is left out and its example shows an empty one.
func ReactionRemoved(message string, emptyEmoji bool) Content {
	if emptyEmoji {
		return Reaction(message, "")
	}
	return content("reaction", obj("message_id", message))
}

// Order is a cart of one product.
func Order(catalog, product, text string, quantity, price int, currency string) Content {
	return content("order", obj("catalog_id", catalog, "text", text, "product_items", []object{
		obj("product_retailer_id", product, "quantity", quantity, "item_price", price, "currency", currency),
	}))
}

// SystemNumberChanged says that a user has another number; Simulator.ChangeNumber sends it and changes the user too.
func SystemNumberChanged(name, from, to string) Content {
	return content("system", obj("body", "User "+name+" changed from "+from+" to "+to, "wa_id", to, "type", "user_changed_number"))
}

// SystemUserIDChanged says that a user has another business-scoped user id; Simulator.ChangeUserID sends it.
func SystemUserIDChanged(name, bsuid string) Content {
	return content("system", obj("body", "User "+name+" changed user id", "user_id", bsuid, "type", "user_changed_user_id"))
}

// RequestWelcome says that the user opened the chat for the first time.
func RequestWelcome() Content { return Content{obj("type", "request_welcome")} }

// Unsupported is a message of a kind the Cloud API does not pass on, such as poll_creation.
func Unsupported(kind string) Content {
	return Content{obj("type", "unsupported", "errors", []object{obj("code", 131051, "title", "Message type unknown",
		"message", "Message type unknown", "error_data", obj("details", "Message type is currently not supported."))},
		"unsupported", obj("type", kind))}
}

// Unavailable is the message type unsupported with code 131060: content that could not be passed on.
func Unavailable() Content {
	return Content{obj("type", "unsupported", "errors", []object{obj("code", 131060, "title", "This message is unavailable",
		"message", "This message is unavailable", "error_data", obj("details", "This message is currently unavailable."))},
		"unsupported", obj("type", "media_placeholder"))}
}

// Undownloadable is a media message whose file Meta could not get (code 131052).
func Undownloadable(kind string) Content {
	return Content{obj("type", kind, "errors", []object{failure{
		Code:    codeMediaDownload,
		Details: "Unable to download the media sent by the user.",
	}.inWebhook()})}
}

// Edit changes the text of an earlier message.
func Edit(original, newBody string) Content {
	return content("edit", obj("original_message_id", original, "message", Text(newBody)))
}

// Revoke withdraws an earlier message.
func Revoke(original string) Content { return content("revoke", obj("original_message_id", original)) }
