"""What everything is made of: colours, type, icons, and the sheet that Qt's widgets follow."""
