"""Small SAM templates in the shapes that other projects have."""

# One function behind an API; nothing else starts it.
HELLO = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 3
    Runtime: python3.12
Resources:
  HelloFunction:
    Type: AWS::Serverless::Function # the only one
    Properties:
      CodeUri: hello/
      Handler: app.lambda_handler
      Events:
        Hello:
          Type: Api
          Properties: {Path: /hello, Method: get}
Outputs:
  Url:
    Value: !Sub "https://${ServerlessRestApi}.example.com/"
"""

# An inbox with a literal name, policies of SAM, a table, and a dead-letter queue that all functions share.
ORDERS = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
  Failed:
    Type: AWS::SQS::Queue
  OrdersQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: shop-incoming
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Failed.Arn
        maxReceiveCount: 5
  ReturnsQueue:
    Type: AWS::SQS::Queue
    Properties:
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 5}

  # Takes the orders of the shop.
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-orders"
      Description: takes orders
      CodeUri: src/orders/
      Handler: main.handle
      Runtime: python3.12
      Environment:
        Variables:
          LOG_LEVEL: INFO
          TABLE: !Ref Table # the stock
      Policies:
        # may read its queue
        - SQSPollerPolicy:
            QueueName: !GetAtt OrdersQueue.QueueName
        # and write the table
        - DynamoDBCrudPolicy:
            TableName: !Ref Table
        - AmazonS3ReadOnlyAccess
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt OrdersQueue.Arn
        Nightly:
          Type: Schedule
          Properties: {Schedule: rate(1 day)}
  ReturnsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/returns/
      Handler: main.handle
      Runtime: python3.12
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt ReturnsQueue.Arn}}
"""

# Rules and schedules among the Events, folders with dashes, an anchor.
EVENTS = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  DailyReportLambda:
    Type: AWS::Serverless::Function
    Properties: &defaults
      CodeUri: src/daily-report/
      Handler: index.handler
      Runtime: python3.12
      Events:
        Daily:
          Type: ScheduleV2
          Properties: {ScheduleExpression: "cron(0 8 * * ? *)", Input: '{"kind": "daily"}'}
  InvoiceLambda:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/invoice/
      Handler: index.handler
      Runtime: python3.12
      Events:
        Paid:
          Type: EventBridgeRule
          Properties:
            Pattern:
              source: [shop]
              detail-type: [OrderPaid]
              detail: {total: [{numeric: [">", 0]}]}
"""

# One code folder for all functions, an event source mapping, one role and one queue policy for all.
SHARED = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: orders.handle
      Runtime: python3.12
      Role: !GetAtt Role.Arn
  OrdersQueue: {Type: AWS::SQS::Queue}
  OrdersSource:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt OrdersQueue.Arn
      FunctionName: !Ref Orders
  Stock:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: stock.handle
      Runtime: python3.12
      Role: !GetAtt Role.Arn
  StockQueue: {Type: AWS::SQS::Queue}
  StockSource:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt StockQueue.Arn
      FunctionName: !Ref Stock
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
      Policies:
        - PolicyName: queues
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: "sqs:ReceiveMessage"
                Resource:
                  - !GetAtt OrdersQueue.Arn # of Orders
                  - !GetAtt StockQueue.Arn
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref OrdersQueue, !Ref StockQueue]
      PolicyDocument:
        Statement:
          - {Effect: Deny, Principal: "*", Action: "sqs:*", Resource: [!GetAtt OrdersQueue.Arn, !GetAtt StockQueue.Arn]}
"""
TEMPLATES = {"hello": HELLO, "orders": ORDERS, "events": EVENTS, "shared": SHARED}
