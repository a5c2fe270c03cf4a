package simulator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestAddUser(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.MaxUsers = 4 })
	a := w.user(simulator.UserSpec{Name: "Ana", Phone: "+34 600 111 222"})
	require.Equal(t, simulator.User{ID: "u1", Name: "Ana", Phone: "34600111222", UserID: a.UserID}, a)
	require.Regexp(t, `^ES\.[0-9]{20}$`, a.UserID)
	made := w.user(simulator.UserSpec{})
	require.Regexp(t, `^34600\d{6}$`, made.Phone)
	hidden := w.user(simulator.UserSpec{UsernameOnly: true})
	require.NotEmpty(t, hidden.Username)
	for name, spec := range map[string]simulator.UserSpec{
		"phone taken": {Phone: "34600111222"}, "our own phone": {Phone: "15550100200"}, "short phone": {Phone: "123"},
		"letters": {Phone: "34ana600111"}, "both": {Phone: "34600111333", UsernameOnly: true}, "bad username": {Username: "Ana!"},
		"username taken": {Username: hidden.Username}, "bad id": {UserID: "34"}, "id taken": {UserID: a.UserID}, "bad parent": {ParentUserID: "x"},
	} {
		_, err := w.AddUser(spec)
		require.Error(t, err, name)
	}
	w.user(simulator.UserSpec{})
	_, err := w.AddUser(simulator.UserSpec{})
	require.Error(t, err, "no room")
	require.Len(t, w.Users(), 4)
}

func TestSameSeedSameWorld(t *testing.T) {
	make := func(seed uint64) simulator.User {
		s, err := simulator.New(simulator.Config{Seed: seed})
		require.NoError(t, err)
		u, err := s.AddUser(simulator.UserSpec{})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return u
	}
	require.Equal(t, make(3), make(3))
	require.NotEqual(t, make(3), make(4))
}

func TestConfigIsChecked(t *testing.T) {
	bad := simulator.DefaultFaults()
	bad.DuplicatePercent = 101
	for name, c := range map[string]simulator.Config{
		"phone": {DisplayPhone: "1"}, "url": {WebhookURL: "localhost"}, "base": {BaseURL: "ftp://x"}, "cap": {MaxUsers: -1},
		"faults": {Faults: &bad}, "code": {UnknownRecipientCode: 1}, "log": {LogPath: "/nonexistent/dir/log"},
	} {
		_, err := simulator.New(c)
		require.Error(t, err, name)
	}
}
