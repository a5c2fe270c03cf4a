package sqlitestore

import (
	"fmt"

	"whatsappnode/ports"
)

// The writer's statements, prepared once per connection.
const (
	stBegin = iota
	stCommit
	stRollback
	stSavepoint
	stRelease
	stRollbackTo
	stBeat

	stKnownID
	stNoteID
	stAddID
	stFindAlias
	stSetAlias
	stDropAlias
	stAddConversation
	stAddMessage
	stDueMessage

	stNextDue
	stNextWork
	stClaim
	stOpenTurns
	stOpenFacts
	stPending
	stHeld
	stExtend
	stEndLease
	stFinishLease
	stUnseenOpen
	stFindTurn
	stAddTurn
	stSetTurn
	stFinishTurn
	stSetSend
	stSaveMemory
	stTakeMessage
	stDropMessage
	stAddDead
	stAddDeadMessage
	stTurnState

	stFindTurnByID
	stFindSend
	stLearnSend
	stAddFact
	stAddPricedFact
	stReopen
	stWake

	stSweepIDs
	stOldTurns
	stDropFacts
	stDropSends
	stDropDead
	stDropDeadMessages
	stDropTurn
	stSweepMemory
	stIdle
	stBusy
	stLookLater

	stBuried
	stDeadMessages
	stReplayMessage
	stLayToRest

	stFindConversations
	stOrphaned
	stAddHeir
	stHeirs
	stUsersOf
	stEraseFacts
	stEraseSends
	stEraseDead
	stEraseDeadMessages
	stEraseTurns
	stEraseInbox
	stEraseMemory
	stEraseIDs
	stEraseHeirs
	stEraseAliases
	stEraseOwner
	stEraseConversation

	stBudget
	stTouchBudget
	stOnce
	stReserved
	stLapsed
	stSetReserved
	stDropReserved
	stBook
	stSweepBudgets
	stSweepReserved
	stSweepBooks

	stFindConversation
	stPause
	stPauseAtLeast
	stOptOut
	stBlock
	stRecall
	statementCount
)

var statementText = [statementCount]string{
	stBegin:      `BEGIN IMMEDIATE`,
	stCommit:     `COMMIT`,
	stRollback:   `ROLLBACK`,
	stSavepoint:  `SAVEPOINT one`,
	stRelease:    `RELEASE one`,
	stRollbackTo: `ROLLBACK TO one`,
	stBeat:       `INSERT INTO beat VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = max(?1, at + 1)`,

	stKnownID:         `SELECT c.id FROM ids i JOIN conversations c ON c.n = i.conv WHERE i.id = ? AND i.at > ?`,
	stNoteID:          `INSERT INTO ids (id, conv, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	stAddID:           `INSERT OR REPLACE INTO ids (id, conv, at) VALUES (?, ?, ?)`,
	stFindAlias:       `SELECT c.n, c.id, a.owner FROM aliases a JOIN conversations c ON c.n = a.conv WHERE a.number = ? AND a.kind = ? AND a.value = ?`,
	stSetAlias:        `INSERT OR REPLACE INTO aliases (number, kind, value, conv, owner) VALUES (?, ?, ?, ?, ?)`,
	stDropAlias:       `DELETE FROM aliases WHERE number = ? AND kind = ? AND value = ? AND conv = ?`,
	stAddConversation: `INSERT INTO conversations (id, first) VALUES (?, ?)`,
	// Who was leased before is ahead of strangers.
	stAddMessage: `INSERT INTO inbox (conv, id, at, due, data)
		VALUES (?1, ?2, ?3, ?4 - CASE WHEN (SELECT token FROM conversations WHERE n = ?1) > 0 THEN ?6 ELSE 0 END, ?5)`,
	// A lease or a delay decides by itself when the conversation is due.
	stDueMessage: `UPDATE conversations SET due = ?2 - CASE WHEN token > 0 THEN ?3 ELSE 0 END
		WHERE n = ?1 AND lease_until = 0 AND deferred = 0 AND (due IS NULL OR due > ?2 - CASE WHEN token > 0 THEN ?3 ELSE 0 END)`,

	stNextDue: `SELECT due FROM conversations WHERE due IS NOT NULL ORDER BY due LIMIT 1`,
	// What is remembered may be long, and is of use only when the time has come.
	stNextWork: `SELECT n, id, token, due, lease_until <> 0, paused_until, paused_by, opted_out, blocked,
		CASE WHEN due <= ?1 THEN EXISTS (SELECT 1 FROM turns WHERE conv = conversations.n AND open = 1) ELSE 0 END,
		CASE WHEN due <= ?1 THEN coalesce((SELECT data FROM memory WHERE conv = conversations.n AND data <> x''), first) END
		FROM conversations WHERE due IS NOT NULL ORDER BY due LIMIT 1`,
	stClaim:     `UPDATE conversations SET token = ?2, lease_until = ?3, due = ?3, deferred = 0 WHERE n = ?1`,
	stOpenTurns: `SELECT id, data FROM turns WHERE conv = ? AND open = 1 ORDER BY n`,
	stOpenFacts: `SELECT t.id, f.data, f.seq FROM turns t JOIN facts f ON f.turn = t.n WHERE t.conv = ? AND t.open = 1 ORDER BY f.seq`,
	stPending:   pendingText,

	stHeld:     `SELECT n, lease_until FROM conversations WHERE id = ? AND token = ? AND lease_until > ?`,
	stExtend:   `UPDATE conversations SET lease_until = ?2, due = ?2 WHERE n = ?1`,
	stEndLease: `UPDATE conversations SET lease_until = 0, due = ?2, deferred = ?3 WHERE n = ?1`,
	stFinishLease: `UPDATE conversations SET lease_until = 0, deferred = 0,
		due = CASE WHEN EXISTS (SELECT 1 FROM turns WHERE conv = ?1 AND open = 1) THEN ?2 ELSE (SELECT min(due) FROM inbox WHERE conv = ?1) END WHERE n = ?1`,
	stUnseenOpen: `SELECT EXISTS (SELECT 1 FROM turns t JOIN facts f ON f.turn = t.n
		WHERE t.conv = ?1 AND t.open = 1 AND f.seq > ?2)`,
	stFindTurn: `SELECT n, conv FROM turns WHERE id = ?`,
	stAddTurn:  `INSERT INTO turns (id, conv, open, seen, dead, at, data) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	stSetTurn:  `UPDATE turns SET open = max(open, ?2), dead = CASE WHEN dead = 2 THEN 2 ELSE ?3 END, at = ?4, data = ?5 WHERE n = ?1`,
	// It is open again when a send failed, and the worker had not seen that.
	stFinishTurn: `UPDATE turns SET seen = max(seen, ?2), open = EXISTS (SELECT 1 FROM facts WHERE turn = ?1 AND state = 'failed' AND seq > max(turns.seen, ?2)),
		dead = CASE WHEN dead = 2 THEN 2 ELSE ?3 END, at = ?4, data = ?5 WHERE n = ?1`,
	stSetSend: `INSERT INTO sends (message, turn, part, attempt) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT DO UPDATE SET turn = ?2, part = ?3, attempt = ?4 WHERE (turn, part, attempt) <> (?2, ?3, ?4)`,
	stSaveMemory:     `INSERT INTO memory (conv, data, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = ?2, at = ?3`,
	stTakeMessage:    `DELETE FROM inbox WHERE conv = ? AND id = ? RETURNING seq, data`,
	stDropMessage:    `DELETE FROM inbox WHERE conv = ? AND id = ?`,
	stAddDead:        `INSERT INTO dead_letters (turn, at, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	stTurnState:      `SELECT dead FROM turns WHERE n = ?`,
	stAddDeadMessage: `INSERT INTO dead_messages (turn, seq, id, data) VALUES (?, ?, ?, ?)`,

	stFindTurnByID: `SELECT t.n, t.open, c.n, c.id FROM turns t JOIN conversations c ON c.n = t.conv WHERE t.id = ?`,
	stFindSend: `SELECT t.n, t.id, t.open, c.n, c.id, s.part, s.attempt FROM sends s JOIN turns t ON t.n = s.turn
		JOIN conversations c ON c.n = t.conv WHERE s.message = ?`,
	stLearnSend: `INSERT INTO sends (message, turn, part, attempt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	stAddFact:   `INSERT INTO facts (turn, part, attempt, state, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	stAddPricedFact: `INSERT INTO facts (turn, part, attempt, state, data, priced)
		VALUES (?1, ?2, ?3, ?4, ?5, NOT EXISTS (SELECT 1 FROM facts WHERE turn = ?1 AND part = ?2 AND attempt = ?3 AND priced = 1)) ON CONFLICT DO NOTHING
		RETURNING priced`,
	stReopen: `UPDATE turns SET open = 1 WHERE n = ?`,
	stWake:   `UPDATE conversations SET due = CASE WHEN due IS NULL OR due > ?2 THEN ?2 ELSE due END, deferred = 0 WHERE n = ?1 AND lease_until = 0`,

	stSweepIDs:         `DELETE FROM ids WHERE id IN (SELECT id FROM ids WHERE at <= ? ORDER BY at LIMIT ?)`,
	stOldTurns:         `SELECT n FROM turns WHERE open = 0 AND dead = ? AND at <= ? ORDER BY at LIMIT ?`,
	stDropFacts:        `DELETE FROM facts WHERE turn = ?`,
	stDropSends:        `DELETE FROM sends WHERE turn = ?`,
	stDropDead:         `DELETE FROM dead_letters WHERE turn = ?`,
	stDropDeadMessages: `DELETE FROM dead_messages WHERE turn = ?`,
	stDropTurn:         `DELETE FROM turns WHERE n = ?`,
	stSweepMemory:      `UPDATE memory SET data = x'' WHERE conv IN (SELECT conv FROM memory WHERE at <= ? AND data <> x'' ORDER BY at LIMIT ?)`,
	stIdle:             `SELECT conv FROM memory WHERE at <= ? ORDER BY at LIMIT ?`,
	stBusy: `SELECT EXISTS (SELECT 1 FROM conversations WHERE n = ?1 AND (due IS NOT NULL OR lease_until > 0 OR opted_out <> 0 OR blocked <> 0 OR paused_until > ?2))
		OR EXISTS (SELECT 1 FROM inbox WHERE conv = ?1) OR EXISTS (SELECT 1 FROM turns WHERE conv = ?1)`,
	stLookLater: `UPDATE memory SET at = ?2, data = x'' WHERE conv = ?1`,

	stBuried:       `SELECT t.n, t.conv FROM turns t JOIN dead_letters d ON d.turn = t.n WHERE t.id = ?`,
	stDeadMessages: `SELECT seq, id, data FROM dead_messages WHERE turn = ? ORDER BY seq`,
	// The old numbers put the messages in front of what came later; AUTOINCREMENT
	// never gives them to others. Along the numbers the times of admission grow, on
	// which Backlog relies.
	stReplayMessage: `INSERT INTO inbox (seq, conv, id, at, due, data)
		VALUES (?1, ?2, ?3, coalesce(min(?4, (SELECT at FROM inbox ORDER BY seq LIMIT 1)), ?4), ?4, ?5)`,
	stLayToRest: `UPDATE turns SET dead = 2 WHERE n = ?`,

	stFindConversations: findText,
	stOrphaned:          `SELECT NOT EXISTS (SELECT 1 FROM aliases WHERE conv = ? AND kind <> 2)`,
	stAddHeir:           `INSERT OR REPLACE INTO aliases (number, kind, value, conv, owner) VALUES (?, ?, ?, ?, '')`,
	stHeirs:             `SELECT c.n FROM aliases a JOIN conversations c ON c.id = a.value WHERE a.conv = ? AND a.kind = 2`,
	stUsersOf:           `SELECT value FROM aliases WHERE conv = ? AND kind = 0`,
	stEraseFacts:        `DELETE FROM facts WHERE turn IN (SELECT n FROM turns WHERE conv = ?)`,
	stEraseSends:        `DELETE FROM sends WHERE turn IN (SELECT n FROM turns WHERE conv = ?)`,
	stEraseDead:         `DELETE FROM dead_letters WHERE turn IN (SELECT n FROM turns WHERE conv = ?)`,
	stEraseDeadMessages: `DELETE FROM dead_messages WHERE turn IN (SELECT n FROM turns WHERE conv = ?)`,
	stEraseTurns:        `DELETE FROM turns WHERE conv = ?`,
	stEraseInbox:        `DELETE FROM inbox WHERE conv = ?`,
	stEraseMemory:       `DELETE FROM memory WHERE conv = ?`,
	stEraseIDs:          `DELETE FROM ids WHERE conv = ?`,
	stEraseHeirs:        `DELETE FROM aliases WHERE conv = ? AND kind = 2`,
	stEraseAliases:      `DELETE FROM aliases WHERE conv = ?`,
	stEraseOwner:        `DELETE FROM aliases WHERE owner = ?`,
	stEraseConversation: `DELETE FROM conversations WHERE n = ?`,

	stBudget: `SELECT spent, held FROM budgets WHERE day = ? AND kind = ? AND name = ?`,
	stTouchBudget: `INSERT INTO budgets (day, kind, name, spent, held, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT DO UPDATE SET spent = spent + ?4, held = held + ?5, used = ?6`,
	stOnce:         `INSERT INTO budgets (day, kind, name, used) VALUES (?, 3, ?, ?) ON CONFLICT DO NOTHING`,
	stReserved:     `SELECT day, user, number, amount FROM reservations WHERE id = ?`,
	stLapsed:       `SELECT id FROM reservations WHERE day = ? AND until <= ? LIMIT 1`,
	stSetReserved:  `INSERT OR REPLACE INTO reservations (id, day, user, number, amount, until) VALUES (?, ?, ?, ?, ?, ?)`,
	stDropReserved: `DELETE FROM reservations WHERE id = ?`,
	stBook: `INSERT INTO books VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
		ON CONFLICT DO UPDATE SET calls = calls + ?5, doubtful = doubtful + ?6, unpriced = unpriced + ?7, cost = cost + ?8,
		doubtful_cost = doubtful_cost + ?9, tokens_in = tokens_in + ?10, tokens_out = tokens_out + ?11, heard = heard + ?12,
		spoken = spoken + ?13, characters = characters + ?14, used = ?15`,
	stSweepBudgets:  `DELETE FROM budgets WHERE (day, kind, name) IN (SELECT day, kind, name FROM budgets WHERE used <= ? ORDER BY used LIMIT ?)`,
	stSweepReserved: `DELETE FROM reservations WHERE id IN (SELECT id FROM reservations WHERE until <= ? LIMIT ?)`,
	stSweepBooks:    `DELETE FROM books WHERE (day, number, stage, vendor) IN (SELECT day, number, stage, vendor FROM books WHERE used <= ? ORDER BY used LIMIT ?)`,

	stFindConversation: `SELECT n FROM conversations WHERE id = ?`,
	stPause:            `UPDATE conversations SET paused_until = ?2, paused_by = ?3 WHERE n = ?1`,
	stPauseAtLeast:     `UPDATE conversations SET paused_until = ?2, paused_by = ?3 WHERE n = ?1 AND paused_until < ?2`,
	stOptOut:           `UPDATE conversations SET opted_out = ?2 WHERE n = ?1`,
	stBlock:            `UPDATE conversations SET blocked = ?2 WHERE n = ?1`,
	// Something waits wherever there is a lease or a delay.
	stRecall: `UPDATE conversations SET lease_until = 0, deferred = 0, due = ?2 WHERE n = ?1 AND (lease_until <> 0 OR deferred <> 0)`,
}

// pendingText reads the messages of a conversation that wait. The bound is part of the
// text: SQLite plans a statement anew each time when its LIMIT is a parameter.
var pendingText = fmt.Sprintf(`SELECT id, data FROM inbox WHERE conv = ? ORDER BY seq LIMIT %d`, ports.MaxPending)

// heldPendingText reads the same for the holder of a lease: no row when it is lost, and
// one of NULLs when nothing waits.
var heldPendingText = fmt.Sprintf(`SELECT i.id, i.data FROM conversations c LEFT JOIN inbox i ON i.conv = c.n
	WHERE c.id = ? AND c.token = ? AND c.lease_until > ? ORDER BY i.seq LIMIT %d`, ports.MaxPending)

// findText finds the conversations that a user id (1) or a phone number (2) leads
// to. There are few business numbers and many people: it hops from one number to
// the next and looks each up.
const findText = `WITH RECURSIVE numbers(number) AS (
		SELECT min(number) FROM aliases
		UNION ALL SELECT (SELECT min(number) FROM aliases WHERE number > numbers.number) FROM numbers WHERE number IS NOT NULL)
	SELECT DISTINCT c.n, c.id FROM numbers JOIN aliases a ON a.number = numbers.number AND (a.kind, a.value) IN (VALUES (0, ?1), (1, ?2))
		JOIN conversations c ON c.n = a.conv ORDER BY c.n`
