-- A database for each service, made when the server starts for the first time.
CREATE DATABASE plateia_audience;
CREATE DATABASE plateia_imports;
CREATE DATABASE plateia_scheduler;
CREATE DATABASE plateia_sender;
