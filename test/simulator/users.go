package simulator

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// User is a person with a phone, as the page and the tests see it.
type User struct {
	ID           string `json:"id"` // the simulator's own, such as u1
	Name         string `json:"name"`
	Phone        string `json:"phone"`    // digits; empty when the business cannot see it
	UserID       string `json:"user_id"`  // business-scoped user id (BSUID)
	Username     string `json:"username"` // without @; empty when none was adopted
	ParentUserID string `json:"parent_user_id,omitempty"`
}

// UserSpec describes a user to add. Empty fields are made up.
type UserSpec struct {
	Name         string `json:"name"`
	Phone        string `json:"phone"`
	Username     string `json:"username"`
	UsernameOnly bool   `json:"username_only"` // no phone number reaches the business
	UserID       string `json:"user_id"`
	ParentUserID string `json:"parent_user_id"`
}

// user adds what only the simulator knows.
type user struct {
	User
	lastInbound time.Time // opens the 24-hour window; zero: never wrote
	typingUntil int64
	chat        []*Message
	readTo      int // index into chat: everything before was marked read by the bot
	held        *post
	pair        bucket
}

type directory struct {
	users   map[string]*user
	order   []*user
	byPhone map[string]*user
	byBSUID map[string]*user
	byName  map[string]*user // usernames
}

func newDirectory() directory {
	return directory{users: map[string]*user{}, byPhone: map[string]*user{}, byBSUID: map[string]*user{}, byName: map[string]*user{}}
}

// ErrUnknownUser says that no user has this id.
var ErrUnknownUser = errors.New("unknown user")

var (
	bsuidPattern    = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)
	usernamePattern = regexp.MustCompile(`^[a-z0-9._]{3,35}$`)
)

// AddUser adds a person. It fails for a malformed or taken phone number, username or user id.
func (s *Simulator) AddUser(spec UserSpec) (User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.newUser(spec)
	if err != nil {
		return User{}, fmt.Errorf("add user: %w", err)
	}
	s.users[u.ID] = u
	s.order = append(s.order, u)
	s.indexUser(u)
	s.events.publish("user", u.User)
	s.changedLocked()
	return u.User, nil
}

func (s *Simulator) newUser(spec UserSpec) (*user, error) {
	if len(s.order) >= s.cfg.MaxUsers {
		return nil, fmt.Errorf("there are %d users already", len(s.order))
	}
	id := fmt.Sprintf("u%d", len(s.order)+1)
	phone := stripPhone(strings.TrimPrefix(strings.TrimSpace(spec.Phone), "+"))
	name, username := strings.TrimSpace(spec.Name), strings.TrimPrefix(strings.TrimSpace(spec.Username), "@")
	if name == "" {
		name = "User " + id[1:]
	}
	if len(name) > 200 {
		return nil, errors.New("the name is longer than 200 bytes")
	}
	switch {
	case spec.UsernameOnly && phone != "":
		return nil, errors.New("a username-only user has no phone number")
	case spec.UsernameOnly && username == "":
		username = "user." + id[1:]
	case !spec.UsernameOnly && phone == "":
		for phone = ""; phone == "" || s.byPhone[phone] != nil; {
			phone = "34600" + s.randomString(6, digits)
		}
	}
	if phone != "" && !isPhone(phone) {
		return nil, errors.New("the phone number must be 7 to 15 digits")
	}
	if phone == s.cfg.DisplayPhone || (phone != "" && s.byPhone[phone] != nil) {
		return nil, errors.New("the phone number is taken")
	}
	if username != "" && !usernamePattern.MatchString(username) {
		return nil, errors.New("the username must be 3 to 35 lower-case letters, digits, dots and underscores")
	}
	if username != "" && s.byName[username] != nil {
		return nil, errors.New("the username is taken")
	}
	bsuid := spec.UserID
	if bsuid == "" {
		bsuid = s.newBSUID(phone)
	}
	if !bsuidPattern.MatchString(bsuid) || s.byBSUID[bsuid] != nil {
		return nil, errors.New("the user id is malformed or taken")
	}
	if spec.ParentUserID != "" && !bsuidPattern.MatchString(spec.ParentUserID) {
		return nil, errors.New("the parent user id is malformed")
	}
	return &user{User: User{ID: id, Name: name, Phone: phone, UserID: bsuid, Username: username, ParentUserID: spec.ParentUserID}}, nil
}

func (s *Simulator) newBSUID(phone string) string {
	country := "US"
	for prefix, code := range map[string]string{"34": "ES", "44": "GB", "49": "DE", "33": "FR", "39": "IT", "52": "MX", "55": "BR", "91": "IN"} {
		if strings.HasPrefix(phone, prefix) {
			country = code
		}
	}
	return country + ".1349" + s.randomString(16, digits)
}

func (s *Simulator) indexUser(u *user) {
	if u.Phone != "" {
		s.byPhone[u.Phone] = u
	}
	if u.Username != "" {
		s.byName[u.Username] = u
	}
	s.byBSUID[u.UserID] = u
}

// Users returns everybody in the order of arrival.
func (s *Simulator) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]User, len(s.order))
	for i, u := range s.order {
		out[i] = u.User
	}
	return out
}

// lookup finds a user by the simulator's id. The caller holds the lock.
func (s *Simulator) lookup(id string) (*user, error) {
	u := s.users[id]
	if u == nil {
		return nil, fmt.Errorf("%w %q", ErrUnknownUser, id)
	}
	return u, nil
}

// stripPhone removes what people write between the digits of a phone number.
func stripPhone(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(s)
}

func isPhone(s string) bool {
	return len(s) >= 7 && len(s) <= 15 && strings.Trim(s, digits) == ""
}

// countryCode cuts the country calling code from a full number: 1 and 7 stand alone, the listed ones have two digits,
// all others three (ITU-T E.164).
func countryCode(phone string) string {
	const two = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"
	switch {
	case phone[0] == '1' || phone[0] == '7':
		return phone[:1]
	case strings.Contains(two, phone[:2]):
		return phone[:2]
	}
	return phone[:3]
}
