package adminapi_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"whatsappnode/adapters/adminapi"
)

func TestOnlyTheTokenLetsIn(t *testing.T) {
	for name, headers := range map[string][]string{
		"missing":             nil,
		"empty":               {"Authorization", ""},
		"bearer of nothing":   {"Authorization", "Bearer "},
		"wrong":               {"Authorization", "Bearer an-admin-token-of-32-letters-0002"},
		"its beginning":       {"Authorization", "Bearer " + token[:20]},
		"more behind it":      {"Authorization", "Bearer " + token + "0"},
		"in capitals":         {"Authorization", "Bearer " + strings.ToUpper(token)},
		"without a scheme":    {"Authorization", token},
		"of another scheme":   {"Authorization", "Basic " + token},
		"second of two":       {"Authorization", "Bearer wrong", "Authorization", "Bearer " + token},
		"in a header besides": {"X-Admin-Token", token},
		"as a cookie":         {"Cookie", "token=" + token},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			for _, pattern := range []string{write, read} {
				r := d.send(pattern, "?token="+token+"&access_token="+token, strings.NewReader(`{"phone":"`+phone+`"}`), headers...)
				require.Equal(t, "the admin token is missing or wrong", d.refused(r, http.StatusUnauthorized), "nothing tells how wrong it is")
				require.Equal(t, "Bearer", r.Header.Get("WWW-Authenticate"))
			}
			require.Empty(t, d.asked)
			require.Equal(t, 2, d.logs.FilterMessage("admin.refused").Len())
		})
	}
}

func TestTheRightTokenLetsIn(t *testing.T) {
	d := open(t)
	r := d.call(write, `{"phone":"`+phone+`"}`)
	require.Equal(t, http.StatusOK, r.StatusCode, r.body)
	require.Equal(t, []string{write}, d.asked)
}

func TestWithoutATokenNobodyIsLetIn(t *testing.T) {
	d := open(t)
	d.token = ""
	for _, given := range []string{"", "Bearer ", "Bearer x"} {
		d.refused(d.send(write, "", strings.NewReader(`{}`), "Authorization", given), http.StatusForbidden)
	}
	require.Empty(t, d.asked)
}

// TestTokenIsReplacedWithoutARestart: whoever holds the one before is out at once.
func TestTokenIsReplacedWithoutARestart(t *testing.T) {
	d := open(t)
	require.Equal(t, http.StatusOK, d.call(write, `{}`).StatusCode)
	d.token = "the-next-one"
	d.refused(d.call(write, `{}`), http.StatusUnauthorized)
	require.Equal(t, http.StatusOK, d.send(write, "", strings.NewReader(`{}`), "Authorization", "Bearer the-next-one").StatusCode)
}

// unread is a body that nobody may look at.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read before the token")
	return 0, http.ErrBodyNotAllowed
}

func (unread) Close() error { return nil }

func TestBodiesOfStrangersAreNotRead(t *testing.T) {
	handlers, err := adminapi.New(adminapi.Options{
		Token: func() string { return "x" }, Log: zap.NewNop(),
		Calls: map[string]adminapi.Call{write: nil}, // it would panic
		Ref:   func(adminapi.Request) string { return "" },
	})
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, "/v1/conversations/block", nil)
	req.Body = unread{t}
	w := httptest.NewRecorder()
	handlers[write].ServeHTTP(w, req)
	require.Equal(t, http.StatusUnauthorized, w.Code)
}

// TestTokensAreComparedInConstantTime reads the source, since a clock would tell it only
// now and then: the token meets what was given in ConstantTimeCompare and nowhere else, and
// both are hashed before, so that not even the lengths are told.
func TestTokensAreComparedInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), "api.go", nil, 0)
	require.NoError(t, err)
	secret := map[string]bool{"token": true, "given": true, "want": true, "got": true}
	mentions := func(n ast.Node) (found bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			found = found || ok && secret[id.Name]
			return true
		})
		return found
	}
	hashed, compared := 0, 0
	ast.Inspect(file, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.BinaryExpr:
			if e.Op != gotoken.EQL && e.Op != gotoken.NEQ {
				return true
			}
			call, isCall := e.X.(*ast.CallExpr)
			_, emptiness := e.Y.(*ast.BasicLit) // whether there is a token at all is no secret
			if mentions(e) && !emptiness {
				t.Errorf("%s compares a token byte by byte", e.Op)
			}
			if isCall && mentions(call) && nameOf(call) != "subtle.ConstantTimeCompare" {
				t.Errorf("%s decides about a token", nameOf(call))
			}
		case *ast.CallExpr:
			switch name := nameOf(e); {
			case !mentions(e):
			case name == "sha256.Sum256":
				hashed++
			case name == "subtle.ConstantTimeCompare":
				compared++
			case name == "bytes.Equal", name == "strings.EqualFold", name == "strings.HasPrefix", name == "strings.Compare":
				t.Errorf("%s is given a token", name)
			}
		}
		return true
	})
	require.Equal(t, 2, hashed, "the token and what was given are hashed")
	require.Equal(t, 1, compared)
}

func nameOf(call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}
