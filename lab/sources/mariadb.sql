-- The same kind of system on MariaDB. @ROWS@ people; @KEY@ is the key of the log, or nothing.
CREATE TABLE offices (id int AUTO_INCREMENT PRIMARY KEY, code varchar(12) NOT NULL UNIQUE, title varchar(80) NOT NULL);
CREATE TABLE people (
    id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(60) NOT NULL, id_number char(18) NOT NULL UNIQUE, born date NOT NULL,
    office_id int NOT NULL, note text, KEY (name), FOREIGN KEY (office_id) REFERENCES offices (id));
CREATE TABLE cases (
    id bigint AUTO_INCREMENT PRIMARY KEY, number varchar(20) NOT NULL UNIQUE, person_id bigint NOT NULL,
    opened datetime(3) NOT NULL, amount decimal(12, 2) NOT NULL, data longtext CHECK (json_valid(data)),
    FOREIGN KEY (person_id) REFERENCES people (id));
CREATE TABLE payments (
    id bigint AUTO_INCREMENT PRIMARY KEY, case_id bigint NOT NULL, paid date NOT NULL, amount decimal(12, 2) NOT NULL,
    share double, FOREIGN KEY (case_id) REFERENCES cases (id) ON DELETE CASCADE);
CREATE TABLE documents (
    id bigint AUTO_INCREMENT PRIMARY KEY, person_id bigint NOT NULL, title varchar(80) NOT NULL, scan mediumblob,
    FOREIGN KEY (person_id) REFERENCES people (id));
-- As it was made fifteen years ago.
CREATE TABLE audit_log (@KEY@ at datetime NOT NULL, who varchar(40) NOT NULL, what varchar(200)) CHARACTER SET latin1;

INSERT INTO offices (code, title) SELECT concat('B', seq), concat('第', seq, '科') FROM seq_1_to_12;
INSERT INTO people (name, id_number, born, office_id, note)
    SELECT concat('王某', seq, if(seq % 6 = 0, '𠮷', '')), lpad(seq, 18, '0'), date_add('1940-01-01', INTERVAL seq * 37 % 25000 DAY),
           1 + seq % 12, if(seq % 5 > 0, repeat(md5(seq), 1 + seq % 8), NULL)
    FROM seq_1_to_@ROWS@;
INSERT INTO cases (number, person_id, opened, amount, data)
    SELECT concat('A', 100000 + id * 3), id, date_add('2015-03-01 08:00:00', INTERVAL id * 47 MINUTE), id % 90000 / 100,
           json_object('kind', id % 7, 'path', concat('/b\t', id)) FROM people;
INSERT INTO payments (case_id, paid, amount, share)
    SELECT id, date_add(date(opened), INTERVAL seq * 30 DAY), amount / 3, 1 / 3 FROM cases, seq_1_to_3;
INSERT INTO documents (person_id, title, scan)
    SELECT id, concat('扫描件 ', id), repeat(unhex(md5(id)), 64) FROM people WHERE id % 50 = 1;
INSERT INTO audit_log (at, who, what) SELECT opened, 'clerk', 'opened' FROM cases;
CREATE VIEW open_cases AS SELECT number, name, amount FROM cases JOIN people ON people.id = person_id;
CREATE TRIGGER payments_logged AFTER INSERT ON payments FOR EACH ROW
    INSERT INTO audit_log (at, who, what) VALUES (now(), current_user(), concat('paid ', NEW.id));
