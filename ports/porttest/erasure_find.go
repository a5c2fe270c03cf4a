package porttest

import (
	"github.com/stretchr/testify/assert"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

func findNames(c *erasureCase) {
	conv := c.admitNew(ana.says("1"))
	other := c.admitNew(bruno.says("1"))
	assert.Equal(c, []domain.ConversationID{conv}, c.find(domain.Contact{UserID: userA}))
	assert.Equal(c, []domain.ConversationID{conv}, c.find(domain.Contact{Phone: phoneA}))
	assert.Equal(c, []domain.ConversationID{conv}, c.find(ana.contact()), "once, by whatever name")
	assert.Equal(c, []domain.ConversationID{other}, c.find(bruno.contact()))
}

func findNumbers(c *erasureCase) {
	elsewhere := ana.says("2")
	elsewhere.Number = "999"
	want := []domain.ConversationID{c.admitNew(ana.says("1")), c.admitNew(elsewhere)}
	assert.ElementsMatch(c, want, c.find(domain.Contact{UserID: userA}))
	assert.ElementsMatch(c, want, c.find(domain.Contact{Phone: phoneA}))
}

func findNobody(c *erasureCase) {
	assert.Empty(c, c.find(ana.contact()))
	c.admitNew(bruno.says("1"))
	assert.Empty(c, c.find(ana.contact()))
	assert.Empty(c, c.find(domain.Contact{Phone: phoneB[:len(phoneB)-1]}), "part of a name is another name")
	assert.Empty(c, c.find(domain.Contact{UserID: domain.UserID(phoneB), Phone: domain.Phone(userB)}), "a phone number is no user id")
}

func findEach(c *erasureCase) {
	want := []domain.ConversationID{c.admitNew(textFrom("1", userA, "")), c.admitNew(textFrom("2", "", phoneB))}
	assert.ElementsMatch(c, want, c.find(domain.Contact{UserID: userA, Phone: phoneB}))
}

func findAbandoned(c *erasureCase) {
	conv := c.admitNew(textFrom("1", userA, phoneA))
	c.admitNew(changeOf(textFrom("2", userA, phoneA), phoneB, ""))
	assert.Empty(c, c.find(domain.Contact{Phone: phoneA}))
	assert.Equal(c, []domain.ConversationID{conv}, c.find(domain.Contact{Phone: phoneB}))
}

func findNameless(c *erasureCase) {
	c.admitNew(textFrom("1", userA, ""))
	c.admitNew(textFrom("2", "", phoneB))
	for _, who := range []domain.Contact{{}, {Name: ana.name}} {
		got, err := c.port().Find(c.ctx, who) // whether that is an error is the store's choice
		assert.Empty(c, got, err)
		gone, err := c.port().Erase(c.ctx, who)
		assert.Equal(c, ports.Erased{}, gone, err)
	}
	assert.Len(c, c.find(domain.Contact{UserID: userA, Phone: phoneB}), 2)
}
