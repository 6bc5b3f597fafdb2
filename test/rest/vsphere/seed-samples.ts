// The samples of the two documents as they print them; words in braces stand for what is different for everybody.

export type Representation = "JSON" | "XML" | "parameters";

export const representations: readonly Representation[] = ["JSON", "XML", "parameters"];

export interface Sample {
  readonly operation: string;
  readonly namespace: string;
  /** Both lines under which the operation is printed. */
  readonly paths: readonly [string, string];
  readonly request: Readonly<Record<Representation, string>>;
}

export const createSample: Sample = {
  operation: "Create",
  namespace: "http://vmware.com/content/library/item/update_session",
  paths: [
    "/com/vmware/content/library/item/update-session",
    "/com/vmware/content/library/item/update-session?~action=create",
  ],
  request: {
    JSON: `{
    "client_token": "{token}",
    "create_spec": {
        "client_progress": 10,
        "error_message": {
            "args": [
                "string",
                "string"
            ],
            "default_message": "string",
            "id": "string"
        },
        "expiration_time": "2013-06-06T22:13:05",
        "id": "obj-103",
        "library_item_content_version": "string",
        "library_item_id": "{item}",
        "state": "ACTIVE"
    }
}`,
    XML: `<?xml version="1.0" ?>
<ns0:Create-Input xmlns:ns0="http://vmware.com/content/library/item/update_session" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <create_spec>
    <id>obj-103</id>
    <library_item_id>{item}</library_item_id>
    <client_progress>10</client_progress>
    <error_message>
      <default_message>string</default_message>
      <id>string</id>
      <args-array>
        <array-item>string</array-item>
        <array-item>string</array-item>
      </args-array>
    </error_message>
    <state>ACTIVE</state>
    <expiration_time>2013-06-06T22:13:05</expiration_time>
    <library_item_content_version>string</library_item_content_version>
  </create_spec>
  <client_token>{token}</client_token>
</ns0:Create-Input>`,
    parameters: `?create_spec.id=obj-103
&create_spec.library_item_id={item}
&create_spec.client_progress=10
&create_spec.error_message.default_message=string
&create_spec.error_message.id=string
&create_spec.error_message.args.1=string
&create_spec.error_message.args.2=string
&create_spec.state=ACTIVE
&create_spec.expiration_time=2013-06-06T22%3A13%3A05
&create_spec.library_item_content_version=string
&client_token={token}`,
  },
};

export const addSample: Sample = {
  operation: "Add",
  namespace: "http://vmware.com/content/library/item/updatesession/file",
  paths: [
    "/com/vmware/content/library/item/updatesession/file/id:{session}?~action=add",
    "/com/vmware/content/library/item/updatesession/file?~action=add",
  ],
  request: {
    JSON: `{
    "file_spec": {
        "checksum_info": {
            "algorithm": "SH_a1",
            "checksum": "{checksum}"
        },
        "name": "string",
        "size": 10,
        "source_endpoint": {
            "ssl_certificate_thumbprint": "string",
            "uri": "http://myurl.com"
        },
        "source_type": "{source}"
    },
    "update_session_id": "{session}"
}`,
    XML: `<?xml version="1.0" ?>
<ns0:Add-Input xmlns:ns0="http://vmware.com/content/library/item/updatesession/file" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <update_session_id>{session}</update_session_id>
  <file_spec>
    <source_endpoint>
      <ssl_certificate_thumbprint>string</ssl_certificate_thumbprint>
      <uri>http://myurl.com</uri>
    </source_endpoint>
    <name>string</name>
    <source_type>{source}</source_type>
    <checksum_info>
      <checksum>{checksum}</checksum>
      <algorithm>SH_a1</algorithm>
    </checksum_info>
    <size>10</size>
  </file_spec>
</ns0:Add-Input>`,
    parameters: `&update_session_id={session}
&file_spec.source_endpoint.ssl_certificate_thumbprint=string
&file_spec.source_endpoint.uri=http%3A%2F%2Fmyurl.com
&file_spec.name=string
&file_spec.source_type={source}
&file_spec.checksum_info.checksum={checksum}
&file_spec.checksum_info.algorithm=SH_a1
&file_spec.size=10`,
  },
};

/** A file that has everything a file can have: no real one does. */
export const printedFile = {
  JSON: `{
    "value": {
        "bytes_transferred": 10,
        "checksum_info": {
            "algorithm": "SH_a1",
            "checksum": "string"
        },
        "error_message": {
            "args": [
                "string",
                "string"
            ],
            "default_message": "string",
            "id": "string"
        },
        "name": "string",
        "size": 10,
        "source_endpoint": {
            "ssl_certificate_thumbprint": "string",
            "uri": "http://myurl.com"
        },
        "source_type": "NONE",
        "status": "WAITING_FOR_TRANSFER",
        "upload_endpoint": {
            "ssl_certificate_thumbprint": "string",
            "uri": "http://myurl.com"
        }
    }
}`,
  XML: `<?xml version="1.0" ?>
<ns0:Add-Result xmlns:ns0="http://vmware.com/content/library/item/updatesession/file" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <value>
    <source_endpoint>
      <ssl_certificate_thumbprint>string</ssl_certificate_thumbprint>
      <uri>http://myurl.com</uri>
    </source_endpoint>
    <status>WAITING_FOR_TRANSFER</status>
    <error_message>
      <default_message>string</default_message>
      <id>string</id>
      <args-array>
        <array-item>string</array-item>
        <array-item>string</array-item>
      </args-array>
    </error_message>
    <name>string</name>
    <upload_endpoint>
      <ssl_certificate_thumbprint>string</ssl_certificate_thumbprint>
      <uri>http://myurl.com</uri>
    </upload_endpoint>
    <source_type>NONE</source_type>
    <bytes_transferred>10</bytes_transferred>
    <checksum_info>
      <checksum>string</checksum>
      <algorithm>SH_a1</algorithm>
    </checksum_info>
    <size>10</size>
  </value>
</ns0:Add-Result>`,
} as const;

/** The answer to a creation, with the new session's id in it. */
export const printedId = {
  JSON: `{
    "value": "{session}"
}`,
  XML: `<?xml version="1.0" ?>
<ns0:Create-Result xmlns:ns0="http://vmware.com/content/library/item/update_session" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <value>{session}</value>
</ns0:Create-Result>`,
} as const;

/** A printed text with its words put in. */
export function fill(printed: string, words: Readonly<Record<string, string>>): string {
  return printed.replaceAll(/\{(\w+)\}/g, (braces, word: string) => words[word] ?? braces);
}
