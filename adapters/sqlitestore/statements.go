package sqlitestore

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
	stAddID
	stFindAlias
	stSetAlias
	stDropAlias
	stAddConversation
	stAddMessage
	stDueMessage

	stNextDue
	stClaim
	stHeld
	stExtend
	stEndLease
	stUnseenOpen
	stFindTurn
	stAddTurn
	stSetTurn
	stSetSend
	stSaveMemory
	stTakeMessage
	stCloseTurn
	stRestDue
	stAddDead
	stAddDeadMessage

	stFindTurnByID
	stFindSend
	stLearnSend
	stAddFact
	stReopen
	stWake

	stSweepIDs
	stOldTurns
	stDropFacts
	stDropSends
	stDropDead
	stDropDeadMessages
	stDropTurn
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
	stAddID:           `INSERT OR REPLACE INTO ids (id, conv, at) VALUES (?, ?, ?)`,
	stFindAlias:       `SELECT c.n, c.id, a.owner FROM aliases a JOIN conversations c ON c.n = a.conv WHERE a.number = ? AND a.kind = ? AND a.value = ?`,
	stSetAlias:        `INSERT OR REPLACE INTO aliases (number, kind, value, conv, owner) VALUES (?, ?, ?, ?, ?)`,
	stDropAlias:       `DELETE FROM aliases WHERE number = ? AND kind = ? AND value = ? AND conv = ?`,
	stAddConversation: `INSERT INTO conversations (id, first) VALUES (?, ?)`,
	stAddMessage:      `INSERT INTO inbox (conv, id, at, due, data) VALUES (?, ?, ?, ?, ?)`,
	// A lease or a delay decides by itself when the conversation is due.
	stDueMessage: `UPDATE conversations SET due = ?2 WHERE n = ?1 AND lease_until = 0 AND deferred = 0 AND (due IS NULL OR due > ?2)`,

	stNextDue:  `SELECT n, due FROM conversations WHERE due IS NOT NULL ORDER BY due LIMIT 1`,
	stClaim:    `UPDATE conversations SET token = token + 1, lease_until = ?2, due = ?2, deferred = 0 WHERE n = ?1 RETURNING id, token`,
	stHeld:     `SELECT n FROM conversations WHERE id = ? AND token = ? AND lease_until > ?`,
	stExtend:   `UPDATE conversations SET lease_until = ?2, due = ?2 WHERE n = ?1`,
	stEndLease: `UPDATE conversations SET lease_until = 0, due = ?2, deferred = ?3 WHERE n = ?1`,
	stUnseenOpen: `SELECT EXISTS (SELECT 1 FROM turns t JOIN facts f ON f.turn = t.n
		WHERE t.conv = ?1 AND t.open = 1 AND f.seq > ?2)`,
	stFindTurn:       `SELECT n, conv FROM turns WHERE id = ?`,
	stAddTurn:        `INSERT INTO turns (id, conv, open, dead, at, data) VALUES (?, ?, 1, ?, ?, ?)`,
	stSetTurn:        `UPDATE turns SET open = max(open, ?2), dead = ?3, at = ?4, data = ?5 WHERE n = ?1`,
	stSetSend:        `INSERT OR REPLACE INTO sends (message, turn, part, attempt) VALUES (?, ?, ?, ?)`,
	stSaveMemory:     `INSERT OR REPLACE INTO memory (conv, data) VALUES (?, ?)`,
	stTakeMessage:    `DELETE FROM inbox WHERE conv = ? AND id = ? RETURNING seq, data`,
	stCloseTurn:      `UPDATE turns SET seen = max(seen, ?2), open = EXISTS (SELECT 1 FROM facts WHERE turn = ?1 AND state = 'failed' AND seq > max(turns.seen, ?2)) WHERE n = ?1`,
	stRestDue:        `SELECT CASE WHEN EXISTS (SELECT 1 FROM turns WHERE conv = ?1 AND open = 1) THEN ?2 ELSE (SELECT min(due) FROM inbox WHERE conv = ?1) END`,
	stAddDead:        `INSERT INTO dead_letters (turn, at, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	stAddDeadMessage: `INSERT INTO dead_messages (turn, seq, data) VALUES (?, ?, ?)`,

	stFindTurnByID: `SELECT t.n, t.open, c.n, c.id FROM turns t JOIN conversations c ON c.n = t.conv WHERE t.id = ?`,
	stFindSend: `SELECT t.n, t.id, t.open, c.n, c.id, s.part, s.attempt FROM sends s JOIN turns t ON t.n = s.turn
		JOIN conversations c ON c.n = t.conv WHERE s.message = ?`,
	stLearnSend: `INSERT INTO sends (message, turn, part, attempt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	stAddFact:   `INSERT INTO facts (turn, part, attempt, state, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
	stReopen:    `UPDATE turns SET open = 1 WHERE n = ?`,
	stWake:      `UPDATE conversations SET due = CASE WHEN due IS NULL OR due > ?2 THEN ?2 ELSE due END, deferred = 0 WHERE n = ?1 AND lease_until = 0`,

	stSweepIDs:         `DELETE FROM ids WHERE id IN (SELECT id FROM ids WHERE at <= ? ORDER BY at LIMIT ?)`,
	stOldTurns:         `SELECT n FROM turns WHERE open = 0 AND dead = ? AND at <= ? ORDER BY at LIMIT ?`,
	stDropFacts:        `DELETE FROM facts WHERE turn = ?`,
	stDropSends:        `DELETE FROM sends WHERE turn = ?`,
	stDropDead:         `DELETE FROM dead_letters WHERE turn = ?`,
	stDropDeadMessages: `DELETE FROM dead_messages WHERE turn = ?`,
	stDropTurn:         `DELETE FROM turns WHERE n = ?`,
}
