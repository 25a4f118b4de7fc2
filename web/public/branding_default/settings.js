// Values the web app starts with. Only names with plain values are read; nothing here is run.
var settings = {
  // Shown beside the logo and in the browser's title.
  applicationName: "Rostra",
  // How to call somebody unless the user chooses: "auto", "sip", "h323", "mssip" or "rtmp".
  defaultDialOutProtocol: "auto",
  // Most to send and receive in kbit/s unless the user chooses; 0 leaves it to the network.
  defaultBandwidth: 0
};
