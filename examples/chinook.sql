-- The ten questions of examples/chinook.lua in SQL. The output is the same text:
--
--     sqlite3 -batch -list -noheader chinook.sqlite < examples/chinook.sql

SELECT '1. Which five artists brought in the most money?';
SELECT printf('   %s: %.2f', Artist.Name, sum(InvoiceLine.UnitPrice * InvoiceLine.Quantity))
FROM InvoiceLine JOIN Track USING (TrackId) JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId)
GROUP BY ArtistId
ORDER BY round(sum(InvoiceLine.UnitPrice * InvoiceLine.Quantity), 2) DESC, ArtistId
LIMIT 5;

SELECT '2. Whose customers are whose, down the whole report line?';
WITH RECURSIVE Line (EmployeeId, Name, Depth) AS (
  SELECT EmployeeId, FirstName || ' ' || LastName, 0 FROM Employee WHERE ReportsTo IS NULL
  UNION ALL
  SELECT Employee.EmployeeId, FirstName || ' ' || LastName, Depth + 1
  FROM Employee JOIN Line ON Employee.ReportsTo = Line.EmployeeId
  ORDER BY 3 DESC, 1
)
SELECT printf('   %s%s looks after %d%s', substr('                ', 1, 2 * Depth), Name,
  (SELECT count(*) FROM Customer WHERE SupportRepId = EmployeeId),
  (SELECT coalesce(': ' || group_concat(CustomerName, ', '), '')
   FROM (SELECT FirstName || ' ' || LastName AS CustomerName FROM Customer WHERE SupportRepId = EmployeeId
         ORDER BY LastName, FirstName)))
FROM Line;

SELECT '3. How many tracks were never sold, and of which genres are most of them?';
SELECT printf('   %d tracks', count(*)) FROM Track WHERE TrackId NOT IN (SELECT TrackId FROM InvoiceLine);
SELECT printf('   %s: %d', Genre.Name, count(*))
FROM Track JOIN Genre USING (GenreId)
WHERE TrackId NOT IN (SELECT TrackId FROM InvoiceLine)
GROUP BY GenreId
ORDER BY count(*) DESC, GenreId
LIMIT 5;

SELECT '4. Which playlists share tracks with the playlist Grunge?';
SELECT printf('   %s (number %d): %d of %d tracks', Playlist.Name, Playlist.PlaylistId, count(*),
  (SELECT count(*) FROM PlaylistTrack JOIN Playlist USING (PlaylistId) WHERE Name = 'Grunge'))
FROM Playlist JOIN PlaylistTrack USING (PlaylistId)
WHERE Playlist.Name <> 'Grunge' AND TrackId IN
  (SELECT TrackId FROM PlaylistTrack JOIN Playlist USING (PlaylistId) WHERE Name = 'Grunge')
GROUP BY Playlist.PlaylistId
ORDER BY count(*) DESC, Playlist.PlaylistId;

SELECT '5. Which three albums play longest?';
SELECT printf('   %s by %s: %d tracks, %d:%02d minutes', Album.Title, Artist.Name, count(*),
  sum(Milliseconds) / 60000, sum(Milliseconds) / 1000 % 60)
FROM Track JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId)
GROUP BY AlbumId
ORDER BY sum(Milliseconds) DESC
LIMIT 3;

SELECT '6. Which three genres sell best?';
SELECT printf('   %s: %d of %d tracks bought', Genre.Name, sum(Quantity), (SELECT sum(Quantity) FROM InvoiceLine))
FROM InvoiceLine JOIN Track USING (TrackId) JOIN Genre USING (GenreId)
GROUP BY GenreId
ORDER BY sum(Quantity) DESC, GenreId
LIMIT 3;

SELECT '7. What did each country bring in?';
SELECT printf('   %s: %.2f', BillingCountry, sum(Total))
FROM Invoice
GROUP BY BillingCountry
ORDER BY round(sum(Total), 2) DESC, BillingCountry;

SELECT '8. What does an average invoice come to?';
SELECT printf('   %d invoices from %.2f to %.2f, %.2f in all, %.2f on average', count(*), min(Total), max(Total),
  sum(Total), avg(Total))
FROM Invoice;

SELECT '9. What is on the album Let There Be Rock?';
SELECT printf('   by %s', Artist.Name) FROM Album JOIN Artist USING (ArtistId) WHERE Title = 'Let There Be Rock';
SELECT printf('   %d:%02d  %s', Milliseconds / 60000, Milliseconds / 1000 % 60, Track.Name)
FROM Track JOIN Album USING (AlbumId)
WHERE Title = 'Let There Be Rock'
ORDER BY TrackId;

SELECT '10. Which three customers spent most, and who looks after them?';
SELECT printf('   %s of %s: %.2f on %d invoices, looked after by %s', Customer.FirstName || ' ' || Customer.LastName,
  Customer.Country, sum(Total), count(*), Employee.FirstName || ' ' || Employee.LastName)
FROM Customer JOIN Invoice USING (CustomerId) JOIN Employee ON EmployeeId = SupportRepId
GROUP BY CustomerId
ORDER BY round(sum(Total), 2) DESC, CustomerId
LIMIT 3;
