mod orgs;
