-- Every kind of object and type that public sample databases have, and some more.
CREATE TABLE film (
  film_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, title varchar(128) NOT NULL, description text, release_year year,
  rating enum('G','PG','PG-13','R','NC-17') DEFAULT 'G', special set('Trailers','Commentaries','Deleted Scenes'), rate decimal(4,2) DEFAULT 4.99,
  picture blob, extra json, flags bit(5), location point, small tinyint(1), medium mediumint, big bigint unsigned, single float, double_ double, at datetime(6), taken time(3), born date,
  last_update timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), fixed char(8), raw binary(4), more varbinary(20), long_one longtext, ip inet6, id uuid,
  title_length int GENERATED ALWAYS AS (char_length(title)) STORED, upper_title varchar(128) GENERATED ALWAYS AS (upper(title)) VIRTUAL,
  KEY idx_title (title), KEY upper_ (upper_title), UNIQUE KEY uid (id), FULLTEXT KEY words (title, description), CONSTRAINT rate_ CHECK (rate >= 0)
) COMMENT='it''s a film; with a semicolon';
CREATE TABLE latin (id int PRIMARY KEY, name varchar(50)) DEFAULT CHARSET=latin1 COLLATE=latin1_german1_ci;
CREATE TABLE old_engine (id int PRIMARY KEY, name varchar(50));
CREATE TABLE `Mixed Case``表` (`Id x` int AUTO_INCREMENT PRIMARY KEY, `film id` smallint unsigned, FOREIGN KEY (`film id`) REFERENCES film (film_id) ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE payment (id int NOT NULL, amount decimal(5,2), day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (year(day)) (PARTITION p0 VALUES LESS THAN (2022), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE tree (id int PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);
CREATE TABLE cycle_a (id int PRIMARY KEY, b int); CREATE TABLE cycle_b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES cycle_a (id)); ALTER TABLE cycle_a ADD FOREIGN KEY (b) REFERENCES cycle_b (id);
CREATE TABLE only_unique (code varchar(20) NOT NULL UNIQUE, said text);
CREATE TABLE empty_one (id int AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=500;
CREATE SEQUENCE numbers START WITH 10 INCREMENT BY 5;
CREATE TABLE film_text (film_id smallint PRIMARY KEY, title varchar(255));
DELIMITER //
CREATE TRIGGER ins_film AFTER INSERT ON film FOR EACH ROW BEGIN INSERT INTO film_text (film_id, title) VALUES (NEW.film_id, NEW.title); END//
CREATE TRIGGER upd_film AFTER UPDATE ON film FOR EACH ROW BEGIN IF OLD.title <> NEW.title THEN UPDATE film_text SET title = NEW.title WHERE film_id = OLD.film_id; END IF; END//
CREATE FUNCTION in_stock(x int) RETURNS int READS SQL DATA BEGIN DECLARE n int; SELECT count(*) INTO n FROM film WHERE film_id < x; RETURN n; END//
CREATE PROCEDURE report(IN low int, OUT n int) BEGIN SELECT count(*) INTO n FROM film WHERE film_id > low; END//
DELIMITER ;
CREATE SQL SECURITY INVOKER VIEW film_list AS SELECT film_id, title, rating FROM film;
CREATE VIEW rating_count AS SELECT rating, count(*) AS n FROM film_list GROUP BY rating;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM old_engine WHERE id < 0;
INSERT INTO film (title, description, release_year, rating, special, rate, picture, extra, flags, location, small, medium, big, single, double_, at, taken, born, fixed, raw, more, long_one, ip, id)
  SELECT concat('Film ', seq, ' é水''"\\'), repeat('word ', seq % 50), 1901 + seq % 200, 1 + seq % 5, 'Trailers,Deleted Scenes', seq % 99, unhex(md5(seq)), json_object('n', seq), b'10101', point(0.1, seq), seq % 2, -seq, 18446744073709551615 - seq, 0.1 * seq, 1e300, '2022-01-05 03:04:05.123456', '-10:11:12.345', '2022-02-03', 'ab', 'x', x'00ff00', repeat('x', 5000), '::1', uuid() FROM seq_1_to_400;
INSERT INTO latin VALUES (1, 'Müller'), (2, NULL), (3, '');
INSERT INTO old_engine SELECT seq, 'e' FROM seq_1_to_20;
INSERT INTO `Mixed Case``表` (`film id`) SELECT film_id FROM film;
INSERT INTO payment SELECT seq, seq % 99, '2020-01-01' + INTERVAL seq DAY FROM seq_1_to_1000;
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);
INSERT INTO cycle_a VALUES (1, NULL); INSERT INTO cycle_b VALUES (1, 1); UPDATE cycle_a SET b = 1;
INSERT INTO only_unique SELECT concat('c', seq), NULL FROM seq_1_to_100;
SELECT nextval(numbers);
