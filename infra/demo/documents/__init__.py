"""What the pages of the sample say and how they are set; one module a record, each giving its sheets in order."""
