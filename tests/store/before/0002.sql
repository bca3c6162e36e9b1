-- lane.db as examgate 0.1.0 left it (migrations 0001, 0002): session S1 open, candidate 0 inside,
-- candidate 1 seated. Everybody in it is made up. Key: e1219566b6e3dbb0971c33b24fd9d48df04322a994373bed0ff62930c9ff82c9
BEGIN TRANSACTION;
CREATE TABLE assignments (
    assignment_id integer primary key, session_id text not null references sessions,
    candidate_id integer not null references candidates, terminal text not null,
    draw_no integer not null, signature_sha256 text not null, at text not null,
    inside_at text, voided_at text,
    foreign key (session_id, terminal) references terminals (session_id, terminal)
);
INSERT INTO "assignments" VALUES(1,'S1',1,'002',1,'63085de97d7b0babedee73fcf578611caeeb44c3858813035fb9c5faf287e45a','2026-11-23T20:47:07.035218+00:00','2026-11-23T20:47:07.042280+00:00',NULL);
INSERT INTO "assignments" VALUES(2,'S1',2,'004',2,'73fbb2b983034c09353d6fa2b49d571a2425cd95c0a8e999bad668bb9092e854','2026-11-23T20:47:07.051860+00:00',NULL,NULL);
CREATE TABLE candidates (
    candidate_id integer primary key, session_id text not null, admission_no text not null,
    identity_number text not null, name text not null, licence_class text not null,
    pseudonym text not null, photo blob not null, embedding blob not null,
    encoder text not null, digest text not null, imported_at text not null,
    source text not null, active integer not null default 1
);
INSERT INTO "candidates" VALUES(1,'S1','A00000','370602198001010004','考生0','C1','34c2781692a7b862cab2120fcb7238ff',X'BE7406974601C996FCB61965579DB89A4D391CC66745F34B12FACC4B837B899CBF8D8C',X'5A23D2AEC1FE9210947AB1B2B7D2A59105606F4BC1E6526E5460DDCAA98AC14754C2A515953BE2BB77A34FDA','dlib-resnet-v1','988224228ac12c27ba8cc53947cab33a32d9e3e50851db96d151586603cce0b4','2026-11-23T20:47:07.023746+00:00','test',1);
INSERT INTO "candidates" VALUES(2,'S1','A00001','370602198001010012','考生1','C1','e316c5593b7074a2d6aa7d87a9cc6164',X'6CC36D66440F39EF13601E2F2589F737E02611A5FD8D8B65F7D9C6E2010539D5F95455',X'35DFA38D63051AA89EAD6C446D84F47A176CB002802948E48E70601C13FFC2DA2B2514FAB1BEAB9887967A47','dlib-resnet-v1','60868419c72aeb2453e6c2eb3e3377632580f39a0c08a3930b311503dc48b267','2026-11-23T20:47:07.023946+00:00','test',1);
INSERT INTO "candidates" VALUES(3,'S1','A00002','370602198001010020','考生2','C1','044095cca55b74738a2e953ce8434460',X'60D67942FB888BBFD2A0BF0A3E55DCA72BE95CA5BB48E30C212F8C36313F9126BB847F',X'D61E86ACFD5117063C9C178809F879B0C09B125CEB3ADFFE170D4B5064AC78D5E55F13F71A0B5923877E10D2','dlib-resnet-v1','2a6336b696e277cf72e7cd00ee98d3d2ceac9c338f4937fd36b060930a22f675','2026-11-23T20:47:07.024015+00:00','test',1);
INSERT INTO "candidates" VALUES(4,'S1','A00003','370602198001010039','考生3','C1','217667814a976021ee4291cacd5cd37f',X'DD5716F049AEFE98B7845C7D8659E809DC85E64682B9A249C0F22D6EB2D6C0724F74AA',X'719E0CB6D45650457BEA98703E088ABE70E4E27B97F5D4C56D8DBB7D8FDC03FD6F777D73C6D4689631DA34D6','dlib-resnet-v1','3c37013ae6a8222ec6ea3af2b67a6472308ce3c2c58aacb3b1f6e6292b21e75e','2026-11-23T20:47:07.024071+00:00','test',1);
CREATE TABLE gate_intents (
    intent_id integer primary key, assignment_id integer not null references assignments,
    at text not null, outcome text, outcome_at text
);
INSERT INTO "gate_intents" VALUES(1,1,'2026-11-23T20:47:07.035508+00:00','ADMITTED','2026-11-23T20:47:07.042280+00:00');
INSERT INTO "gate_intents" VALUES(2,2,'2026-11-23T20:47:07.052064+00:00','GATE_TIMEOUT','2026-11-23T20:47:07.054706+00:00');
CREATE TABLE journal (
    seq integer primary key, at text not null, monotonic real not null, kind text not null,
    reason text, session_id text, pseudonym text, terminal text,
    entry text not null, leaf_hash text not null, root text not null
);
INSERT INTO "journal" VALUES(1,'2026-11-23T20:47:07.014041+00:00',21394.171627,'session_created',NULL,'S1',NULL,NULL,'{"at":"2026-11-23T20:47:07.014041+00:00","kind":"session_created","monotonic":21394.171627,"payload":{"out_of_service":["005"],"person":"t","starts_at":"2026-11-23T09:00:00.000000+00:00","subject":"科目一","terminals":["001","002","003","004","005"]},"pseudonym":null,"reason":null,"seq":1,"session_id":"S1","terminal":null}','12dcb1cdc0ac1c79a3058addee93fbe915f24ec12d70d3d2911f78a59cba1419','12dcb1cdc0ac1c79a3058addee93fbe915f24ec12d70d3d2911f78a59cba1419');
INSERT INTO "journal" VALUES(2,'2026-11-23T20:47:07.024102+00:00',21394.181656,'roster_imported',NULL,NULL,NULL,NULL,'{"at":"2026-11-23T20:47:07.024102+00:00","kind":"roster_imported","monotonic":21394.181656,"payload":{"added":4,"changed":0,"person":"t","rows":4,"sessions":{"S1":4}},"pseudonym":null,"reason":null,"seq":2,"session_id":null,"terminal":null}','b872e15cdabb7364e2b874ce6a8e8df5c8bbf10c2b2e573c92f907b4501fc4e2','b24195023007d789bb607a56b71e8faf9998a377b9a52748ceef92914083587b');
INSERT INTO "journal" VALUES(3,'2026-11-23T20:47:07.027054+00:00',21394.18462,'session_opened',NULL,'S1',NULL,NULL,'{"at":"2026-11-23T20:47:07.027054+00:00","kind":"session_opened","monotonic":21394.18462,"payload":{"commitment":"08b601f987a85855c682169a487637e5c229b19041b0518df952e508ed83ea33","out_of_service":["005"],"person":"t","terminals":["001","002","003","004","005"]},"pseudonym":null,"reason":null,"seq":3,"session_id":"S1","terminal":null}','0cc9bdea00c757438f5443dd3e46fc1b1c92644ee0c26cd5f2afa58ad18a66ff','e2b26fe995e186c6b15a5845d8560a13a06a60720cd005f28d10164ee1a40920');
INSERT INTO "journal" VALUES(4,'2026-11-23T20:47:07.031314+00:00',21394.188855,'signed',NULL,'S1','34c2781692a7b862cab2120fcb7238ff',NULL,'{"at":"2026-11-23T20:47:07.031314+00:00","kind":"signed","monotonic":21394.188855,"payload":{"bytes":12,"signature_sha256":"63085de97d7b0babedee73fcf578611caeeb44c3858813035fb9c5faf287e45a","text_sha256":"0000000000000000000000000000000000000000000000000000000000000000"},"pseudonym":"34c2781692a7b862cab2120fcb7238ff","reason":null,"seq":4,"session_id":"S1","terminal":null}','84ce0c64a259d138e58dfd3f602b53b86166fed41d6c474c9445fccfc78865a8','ad01071c73eda7b23f6bd489f337ba517de191ad68cfa8970e1522a9853494e2');
INSERT INTO "journal" VALUES(5,'2026-11-23T20:47:07.035290+00:00',21394.192832,'seat_drawn',NULL,'S1','34c2781692a7b862cab2120fcb7238ff','002','{"at":"2026-11-23T20:47:07.035290+00:00","kind":"seat_drawn","monotonic":21394.192832,"payload":{"draw_no":1,"free":["001","002","003","004"],"free_hash":"5d6de358f3fe798259a027627e62ea52d5172e3a8641a936509c4f0b275e9542","index":1,"signature_sha256":"63085de97d7b0babedee73fcf578611caeeb44c3858813035fb9c5faf287e45a"},"pseudonym":"34c2781692a7b862cab2120fcb7238ff","reason":null,"seq":5,"session_id":"S1","terminal":"002"}','af03cae7ae6afa65e66c26410aa9b950fb9054b6f98e1c7c4adfdb3698d5c036','3a1589bc1af825514a4ea2183c27ff54fc451d7cf0cf58a47d22c12cddf28d71');
INSERT INTO "journal" VALUES(6,'2026-11-23T20:47:07.035544+00:00',21394.19306,'gate_intent',NULL,'S1','34c2781692a7b862cab2120fcb7238ff','002','{"at":"2026-11-23T20:47:07.035544+00:00","kind":"gate_intent","monotonic":21394.19306,"payload":{"authority":"verified","draw_no":1,"intent":1},"pseudonym":"34c2781692a7b862cab2120fcb7238ff","reason":null,"seq":6,"session_id":"S1","terminal":"002"}','11a3fe4082ddfea7eb7f729ded25adb84f089f310e1b4ff7b082f38332a34c48','4cf7e904d26ecae44c91154d32d4cf81565db6a2320b88e90231eea7287a4ba9');
INSERT INTO "journal" VALUES(7,'2026-11-23T20:47:07.042384+00:00',21394.199922,'gate_outcome','ADMITTED','S1','34c2781692a7b862cab2120fcb7238ff','002','{"at":"2026-11-23T20:47:07.042384+00:00","kind":"gate_outcome","monotonic":21394.199922,"payload":{"intent":1},"pseudonym":"34c2781692a7b862cab2120fcb7238ff","reason":"ADMITTED","seq":7,"session_id":"S1","terminal":"002"}','f6dab06f961d5b5d63b51ccafd4f32b2475a0c8c54c01843a316d0a71677f029','be5064c3c6c50d27d6e4c5a1709ef24d5b82bcef621c15dfd6b51139ef9a4908');
INSERT INTO "journal" VALUES(8,'2026-11-23T20:47:07.042697+00:00',21394.200236,'admitted','ADMITTED','S1','34c2781692a7b862cab2120fcb7238ff','002','{"at":"2026-11-23T20:47:07.042697+00:00","kind":"admitted","monotonic":21394.200236,"payload":{"draw_no":1,"intent":1},"pseudonym":"34c2781692a7b862cab2120fcb7238ff","reason":"ADMITTED","seq":8,"session_id":"S1","terminal":"002"}','04aa647e288306c99e5372ed49377da5b984360241502554f4dc928075e69356','287067ac260d87b07601ce445adf62304e7ae5e5dcc003e85e38246274b108fb');
INSERT INTO "journal" VALUES(9,'2026-11-23T20:47:07.047021+00:00',21394.204547,'signed',NULL,'S1','e316c5593b7074a2d6aa7d87a9cc6164',NULL,'{"at":"2026-11-23T20:47:07.047021+00:00","kind":"signed","monotonic":21394.204547,"payload":{"bytes":12,"signature_sha256":"73fbb2b983034c09353d6fa2b49d571a2425cd95c0a8e999bad668bb9092e854","text_sha256":"0000000000000000000000000000000000000000000000000000000000000000"},"pseudonym":"e316c5593b7074a2d6aa7d87a9cc6164","reason":null,"seq":9,"session_id":"S1","terminal":null}','7579d049fcf9aa890e11ca65da140c87232cefcaddd0f0ac0dd096229ae47a48','73dcbf2f8b8e5e479b2e790944c4a75bb7f9890d45f673dc8e99d3ef5fe792e0');
INSERT INTO "journal" VALUES(10,'2026-11-23T20:47:07.051899+00:00',21394.209426,'seat_drawn',NULL,'S1','e316c5593b7074a2d6aa7d87a9cc6164','004','{"at":"2026-11-23T20:47:07.051899+00:00","kind":"seat_drawn","monotonic":21394.209426,"payload":{"draw_no":2,"free":["001","003","004"],"free_hash":"1039ead39a7f7afc8bc85dd3d31098935bb331a5f06cbf223f6e8fe5b7cadacc","index":2,"signature_sha256":"73fbb2b983034c09353d6fa2b49d571a2425cd95c0a8e999bad668bb9092e854"},"pseudonym":"e316c5593b7074a2d6aa7d87a9cc6164","reason":null,"seq":10,"session_id":"S1","terminal":"004"}','e6013eca9fd87197a3158f52a8b521cd03089cd8fd9a26eb68864643dfd5fcf6','3995881d94315efc325c9c4d79671bfc959ef16a5b2fdad5f8074469084ddcf0');
INSERT INTO "journal" VALUES(11,'2026-11-23T20:47:07.052079+00:00',21394.20965,'gate_intent',NULL,'S1','e316c5593b7074a2d6aa7d87a9cc6164','004','{"at":"2026-11-23T20:47:07.052079+00:00","kind":"gate_intent","monotonic":21394.20965,"payload":{"authority":"verified","draw_no":2,"intent":2},"pseudonym":"e316c5593b7074a2d6aa7d87a9cc6164","reason":null,"seq":11,"session_id":"S1","terminal":"004"}','2f69d069a15587822a334c9818183b7910a246340cb9b5c4286380b745642c08','d56a8f159b985d1d4d3ab839eb50ba6972ad16b467911d0880d632071850f0f9');
INSERT INTO "journal" VALUES(12,'2026-11-23T20:47:07.054770+00:00',21394.212297,'gate_outcome','GATE_TIMEOUT','S1','e316c5593b7074a2d6aa7d87a9cc6164','004','{"at":"2026-11-23T20:47:07.054770+00:00","kind":"gate_outcome","monotonic":21394.212297,"payload":{"intent":2},"pseudonym":"e316c5593b7074a2d6aa7d87a9cc6164","reason":"GATE_TIMEOUT","seq":12,"session_id":"S1","terminal":"004"}','979828b14969f94bf05d6d6f8bd956de5dfdc7127b3d9393e70e3863e94e74b5','1b830f7c9d437c0f2a9d539da48ee658072979e47da7d85e10540ef01b85f6ab');
CREATE TABLE keys (scope text primary key, wrapped blob not null);
INSERT INTO "keys" VALUES('S1',X'5FC8754A93EE086B92804C60B0712CB4B4066B71729CB6180E635FAD6637C79AADA17C1ED6A253BAC4345CBB3765E7343CE304B72ECCA611F3C71D69');
CREATE TABLE migrations (name text primary key, at text not null);
INSERT INTO "migrations" VALUES('0001_lane','2026-11-23T20:47:06.996056+00:00');
INSERT INTO "migrations" VALUES('0002_journal_of_session','2026-11-23T20:47:06.996056+00:00');
CREATE TABLE outbox (
    outbox_id integer primary key, kind text not null, ref integer not null,
    created_at text not null, acknowledged_at text, rejected text, unique (kind, ref)
);
INSERT INTO "outbox" VALUES(1,'journal',1,'2026-11-23T20:47:07.014041+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(2,'journal',2,'2026-11-23T20:47:07.024102+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(3,'journal',3,'2026-11-23T20:47:07.027054+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(4,'journal',4,'2026-11-23T20:47:07.031314+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(5,'journal',5,'2026-11-23T20:47:07.035290+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(6,'journal',6,'2026-11-23T20:47:07.035544+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(7,'journal',7,'2026-11-23T20:47:07.042384+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(8,'journal',8,'2026-11-23T20:47:07.042697+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(9,'journal',9,'2026-11-23T20:47:07.047021+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(10,'journal',10,'2026-11-23T20:47:07.051899+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(11,'journal',11,'2026-11-23T20:47:07.052079+00:00',NULL,NULL);
INSERT INTO "outbox" VALUES(12,'journal',12,'2026-11-23T20:47:07.054770+00:00',NULL,NULL);
CREATE TABLE salts (session_id text primary key, salt blob not null);
INSERT INTO "salts" VALUES('S1',X'FE61E483252949A93CF7F19D0A842FEB3171BFA76E888B01BBC411FDD412B6D7EEA7EE43333F75009C80D807A7C64E2F1B3186691F85FCE22906AE8A');
CREATE TABLE scratch (one integer primary key check (one = 1), at text not null);
CREATE TABLE sessions (
    session_id text primary key, subject text not null, starts_at text not null,
    checkin_from text not null, checkin_until text not null,
    state text not null check (state in ('created', 'open', 'closed')),
    capacity integer not null check (capacity > 0), seed blob, commitment text,
    draws integer not null default 0
);
INSERT INTO "sessions" VALUES('S1','科目一','2026-11-23T09:00:00.000000+00:00','2026-11-23T08:30:00.000000+00:00','2026-11-23T09:00:00.000000+00:00','open',5,X'46D1C2EE7A8338B0EF12FD73110C4B85BF776B40A649635D31EF4E364E141EDAEC8886EA3F562C9516CFAEEDD7D648B89E9748D6AA9B16CC0E98789D','08b601f987a85855c682169a487637e5c229b19041b0518df952e508ed83ea33',2);
CREATE TABLE signatures (
    session_id text not null, candidate_id integer not null references candidates,
    sha256 text not null, text_sha256 text not null, strokes blob not null, at text not null,
    primary key (session_id, candidate_id, sha256)
);
INSERT INTO "signatures" VALUES('S1',1,'63085de97d7b0babedee73fcf578611caeeb44c3858813035fb9c5faf287e45a','0000000000000000000000000000000000000000000000000000000000000000',X'E754A7DADC42C01A5DD12E9828A2C19F479C97FC8A0CD33E9C0B9EE9837E45AC9B0B98908527477C','2026-11-23T20:47:07.031239+00:00');
INSERT INTO "signatures" VALUES('S1',2,'73fbb2b983034c09353d6fa2b49d571a2425cd95c0a8e999bad668bb9092e854','0000000000000000000000000000000000000000000000000000000000000000',X'AFC429EAFE7388250B4D5B37DFD0629F1AF96F6B68AFEBA145025AE85C72B1E553CF0B0E373F2A33','2026-11-23T20:47:07.046981+00:00');
CREATE TABLE templates (
    candidate_id integer not null references candidates, position integer not null,
    template blob not null, primary key (candidate_id, position)
);
CREATE TABLE terminals (
    session_id text not null references sessions, terminal text not null,
    position integer not null, in_service integer not null default 1,
    primary key (session_id, terminal)
);
INSERT INTO "terminals" VALUES('S1','001',0,1);
INSERT INTO "terminals" VALUES('S1','002',1,1);
INSERT INTO "terminals" VALUES('S1','003',2,1);
INSERT INTO "terminals" VALUES('S1','004',3,1);
INSERT INTO "terminals" VALUES('S1','005',4,0);
CREATE TABLE tree (
    one integer primary key check (one = 1), size integer not null, peaks text not null
);
INSERT INTO "tree" VALUES(1,12,'["287067ac260d87b07601ce445adf62304e7ae5e5dcc003e85e38246274b108fb", "9b574fed96168ac01d61f84df5480294131d4c1ded66079316c446186e687bee"]');
CREATE UNIQUE INDEX one_open_session on sessions (state) where state = 'open';
CREATE UNIQUE INDEX one_booking on candidates (session_id, identity_number) where active;
CREATE UNIQUE INDEX one_admission_no on candidates (session_id, admission_no) where active;
CREATE INDEX by_identity on candidates (identity_number);
CREATE UNIQUE INDEX one_seat_a_candidate on assignments (session_id, candidate_id)
    where voided_at is null;
CREATE UNIQUE INDEX one_candidate_a_seat on assignments (session_id, terminal)
    where voided_at is null;
CREATE UNIQUE INDEX one_number_a_draw on assignments (session_id, draw_no);
CREATE TRIGGER journal_keeps_what_it_has before update on journal
    begin select raise(abort, 'the journal is append-only'); end;
CREATE TRIGGER journal_loses_nothing before delete on journal
    begin select raise(abort, 'the journal is append-only'); end;
CREATE INDEX journal_of_session on journal (session_id, seq);
COMMIT;
